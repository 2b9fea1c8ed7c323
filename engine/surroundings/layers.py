# SPDX-License-Identifier: GPL-3.0-or-later
"""Many pictures of one scene, laid over each other on a canvas, and the one picture that most of them agree on."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from ..contract.whole_file import explained_temporary_errors

_TILE = 128, 256
"""Rows and columns of the canvas that are worked on at a time."""
_THUMBNAIL = 16
"""Brightness is compared at every so many pixels."""
_DARKEST, _BRIGHTEST = 16, 239
"""Values outside are clipped in some pictures."""
_COMPARED = 1, 2, 4, 8, 16, 32
"""Layers are compared with those so many after them."""
_FEWEST_SHARED = 50
"""Thumbnail pixels that two layers must share to be compared."""
_AS_IT_IS = 0.01
"""Brightness that differs by less is left alone."""
_STAYS = 1e-3
_KNOWN = 2
"""Weight of a gain of 1, against that of what layers say about each other."""


@dataclass(frozen=True)
class _Layer:
    row: int
    column: int
    height: int
    width: int
    offset: int
    """Where its pixels begin in the file."""


@dataclass(frozen=True)
class Agreement:
    """What layers agree on."""

    picture: np.ndarray
    """(height, width, 3) uint8; 0 where nothing is known."""
    known: np.ndarray
    """(height, width) in how many layers the pixel is known."""
    inside: np.ndarray
    """(height, width) in how many it is there."""


class Layers:
    """Pictures on a canvas. They lie in a temporary file, so that the memory they need does not depend on their number.

    A context manager: the file goes with it.
    """

    def __init__(self, height: int, width: int) -> None:
        """Raises UserError (``disk-full``, ``temporary-unwritable``)."""
        self.height, self.width = height, width
        with explained_temporary_errors():
            self._file = tempfile.TemporaryFile(prefix="human3r-layers-")
        self._layers: list[_Layer] = []
        self._thumbnails: list[tuple[np.ndarray, np.ndarray]] = []

    def __enter__(self) -> Layers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # what a full disk did not take is not needed any more
            self._file.close()

    def __len__(self) -> int:
        return len(self._layers)

    def add(self, row: int, column: int, rgb: np.ndarray, inside: np.ndarray, known: np.ndarray) -> None:
        """Lay (h, w, 3) uint8 with its top-left corner on a pixel of the canvas; of it only what is `known` counts, and
        what is not `inside` is not there at all.

        Raises UserError as the constructor does.
        """
        pixels = np.dstack([rgb, inside.astype(np.uint8) + (inside & known)])
        layer = _Layer(row, column, known.shape[0], known.shape[1], self._file.tell())
        with explained_temporary_errors():
            self._file.write(pixels.tobytes())
            self._file.flush()
        self._layers.append(layer)
        at = np.ix_(
            np.arange(-row % _THUMBNAIL, layer.height, _THUMBNAIL),
            np.arange(-column % _THUMBNAIL, layer.width, _THUMBNAIL),
        )
        self._thumbnails.append((rgb[at], (inside & known)[at]))

    def tiles(self) -> list[tuple[slice, slice]]:
        """Rows and columns of the pieces of the canvas."""
        rows, columns = (
            [slice(start, min(start + step, side)) for start in range(0, side, step)]
            for side, step in zip((self.height, self.width), _TILE, strict=True)
        )
        return [(row, column) for row in rows for column in columns]

    def median(self, gains: np.ndarray) -> Generator[float, None, Agreement]:
        """The median of all layers, each times its (3,) of the `gains`. Yields the share that is done."""
        picture = np.zeros((self.height, self.width, 3), np.uint8)
        known, inside = (np.zeros((self.height, self.width), np.uint16) for _ in range(2))
        tiles = self.tiles()
        for number, tile in enumerate(tiles):
            pieces = list(self._pieces(tile, gains))
            if pieces:
                picture[tile], known[tile], inside[tile] = _median(np.stack(pieces))
            yield (number + 1) / len(tiles)
        return Agreement(picture, known, inside)

    def _pieces(self, tile: tuple[slice, slice], gains: np.ndarray) -> Iterator[np.ndarray]:
        """(rows, columns, 4) uint16 of each layer that has something in a tile; the fourth is 0 where it has not, 1
        where it is not known, 2 where it is."""
        rows, columns = tile
        for layer, gain in zip(self._layers, gains, strict=True):
            top, bottom = max(rows.start, layer.row), min(rows.stop, layer.row + layer.height)
            left, right = max(columns.start, layer.column), min(columns.stop, layer.column + layer.width)
            if top >= bottom or left >= right:
                continue
            pixels = np.memmap(self._file, np.uint8, "r", offset=layer.offset, shape=(layer.height, layer.width, 4))
            part = pixels[top - layer.row : bottom - layer.row, left - layer.column : right - layer.column]
            piece = np.zeros((rows.stop - rows.start, columns.stop - columns.start, 4), np.uint16)
            inside = piece[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start]
            inside[:] = part
            if (gain != 1).any():
                inside[..., :3] = np.round(inside[..., :3] * gain).clip(0, 255)
            yield piece

    def gains(self) -> np.ndarray:
        """(L, 3) factors for red, green and blue that bring all layers to one brightness, as where they overlap.

        1 for all where they are nearly the same.
        """
        count = len(self._layers)
        system = np.eye(count) * _STAYS
        goal = np.zeros((count, 3))
        pairs = [(first, first + step) for step in _COMPARED for first in range(count - step)]
        for first, second in pairs:
            ratio = self._log_ratio(first, second)
            if ratio is not None:
                system[[first, second], [first, second]] += 1
                system[[first, second], [second, first]] -= 1
                goal[first] -= ratio
                goal[second] += ratio
        logs = np.linalg.solve(system, goal) if count else goal
        logs -= np.median(logs, axis=0)
        return np.exp(logs) if np.abs(logs).max(initial=0.0) > _AS_IT_IS else np.ones((count, 3))

    def _log_ratio(self, first: int, second: int) -> np.ndarray | None:
        """(3,) how much brighter the first layer is than the second where both are known; None where they are not."""
        windows = []
        for axis in (0, 1):
            starts = [self._thumbnail_corner(number)[axis] for number in (first, second)]
            stops = [
                start + self._thumbnails[number][1].shape[axis]
                for number, start in zip((first, second), starts, strict=True)
            ]
            begin, end = max(starts), min(stops)
            if begin >= end:
                return None
            windows.append([slice(begin - start, end - start) for start in starts])
        shared = [(windows[0][which], windows[1][which]) for which in (0, 1)]
        colors = [self._thumbnails[number][0][at] for number, at in zip((first, second), shared, strict=True)]
        usable = np.logical_and(
            *(self._thumbnails[number][1][at] for number, at in zip((first, second), shared, strict=True))
        )
        for values in colors:
            usable &= ((values >= _DARKEST) & (values <= _BRIGHTEST)).all(axis=-1)
        if usable.sum() < _FEWEST_SHARED:
            return None
        return np.asarray(np.median(np.log(colors[0][usable].astype(np.float32) / colors[1][usable]), axis=0))

    def _thumbnail_corner(self, number: int) -> tuple[int, int]:
        layer = self._layers[number]
        return -(-layer.row // _THUMBNAIL), -(-layer.column // _THUMBNAIL)


def _median(pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, columns, 3) uint8, and (rows, columns) counts of known and of inside, of (L, rows, columns, 4) uint16."""
    known = pieces[..., 3] == _KNOWN
    count = known.sum(axis=0)
    values = pieces[..., :3]
    values[~known] = 999  # behind all known ones
    values.sort(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(pieces) - 1)
    chosen = [np.take_along_axis(values, index[None, ..., None], axis=0)[0] for index in (low, high)]
    middle = (chosen[0] + chosen[1] + 1) // 2
    picture = np.where(count[..., None] > 0, middle, 0).astype(np.uint8)
    return picture, count, (pieces[..., 3] > 0).sum(axis=0)
