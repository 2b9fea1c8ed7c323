# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage out of image files: sequences of them, and images that move by themselves (WebP, APNG, GIF)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageSequence

from ..contract.errors import UserError
from ..contract.media import ImageSequence as Images
from ..contract.sentences import Sentence
from .pictures import SEQUENCE_RATE, Footage, Picture, Wanted, every

_SHORTEST_MS = 10.0
_PLAYED_MS = 100.0
"""Frames that say they are shown for less than the first are shown for the second, as browsers do."""
_MOST_NAMES = 5
_MAY_MOVE = (".png", ".apng", ".webp", ".gif")


class ImageFiles(Footage):
    """Image files in order; a file's place in time is its number's. Damaged ones are left out, and that is told."""

    def __init__(self, images: Images, frame_rate: float | None = None) -> None:
        """Raises UserError (``footage-unreadable``) where none of them can be read."""
        self._images = images
        self.frame_rate = frame_rate or SEQUENCE_RATE
        self.frame_count = images.numbers[-1] + 1
        self._first, picture = _first_readable(images.paths)
        self.size = (picture.shape[1], picture.shape[0])

    def pictures(
        self, start: int = 0, end: int | None = None, stride: int = 1, wanted: Wanted = every
    ) -> Iterator[Picture]:
        numbers, damaged, place = range(self.frame_count or 0)[start:end:stride], [], -1
        for number, path in zip(self._images.numbers, self._images.paths, strict=True):
            if number not in numbers:
                continue
            try:
                rgb = read_picture(path)
            except UserError:
                damaged.append(path.name)
                continue
            self._check_size(path, rgb)
            place += 1
            if wanted(place):  # only reading an image tells whether it is damaged
                yield Picture(number, number / self.frame_rate, rgb)
        self.problem = self._describe_problem(damaged)

    def expected_count(self, start: int, end: int | None, stride: int) -> int | None:
        wanted = range(self.frame_count or 0)[start:end:stride]
        return sum(number in wanted for number in self._images.numbers)

    def _check_size(self, path: Path, rgb: np.ndarray) -> None:
        size = (rgb.shape[1], rgb.shape[0])
        if size != self.size:
            raise UserError(
                "footage-sizes-differ",
                "{path} is {size} pixels, but the first image {first} is {first_size}.",
                "Give all images of the sequence the same size, or move those that do not belong to it elsewhere.",
                path=path,
                size=f"{size[0]}x{size[1]}",
                first=self._first.name,
                first_size=f"{self.size[0]}x{self.size[1]}",
            )

    def _describe_problem(self, damaged: list[str]) -> str | None:
        left_out = [path.name for path in self._images.left_out]
        parts = [
            Sentence(said, names=_listed(names))
            for said, names in (
                ("Damaged images were left out: {names}.", damaged),
                ("Images that do not belong to the sequence were left out: {names}.", left_out),
            )
            if names
        ]
        return " ".join(parts) or None


class AnimatedImage(Footage):
    """An image file that holds several pictures, each with the time that it is shown for."""

    def __init__(self, path: Path, frame_rate: float | None = None) -> None:
        """Raises UserError (``footage-unreadable``)."""
        self._path, self._rate_given = path, frame_rate is not None
        durations_s = []
        for picture in self._decoded():
            picture.load()  # which reads how long it is shown
            shown_ms = float(picture.info.get("duration", 0.0))
            durations_s.append((shown_ms if shown_ms > _SHORTEST_MS else _PLAYED_MS) / 1000.0)
        self._times_s = np.concatenate([[0.0], np.cumsum(durations_s)[:-1]])
        self.frame_rate = frame_rate or float(1.0 / np.median(durations_s))
        self.frame_count = len(durations_s)

    def pictures(
        self, start: int = 0, end: int | None = None, stride: int = 1, wanted: Wanted = every
    ) -> Iterator[Picture]:
        numbers = range(self.frame_count or 0)[start:end:stride]
        for index, picture in enumerate(self._decoded()):
            if index in numbers and wanted(numbers.index(index)):
                time_s = index / self.frame_rate if self._rate_given else float(self._times_s[index])
                yield Picture(index, time_s, np.asarray(picture.convert("RGB")))

    def _decoded(self) -> Iterator[Image.Image]:
        try:
            with Image.open(self._path) as image:
                self.size = image.size
                yield from ImageSequence.Iterator(image)
        except (OSError, ValueError, SyntaxError) as error:  # what Pillow's readers raise
            raise _unreadable(self._path) from error


def is_animated(path: Path) -> bool:
    """Whether a file is an image that holds more than one picture, to be shown one after the other."""
    if path.suffix.lower() not in _MAY_MOVE:
        return False
    try:
        with Image.open(path) as image:
            return bool(getattr(image, "is_animated", False))
    except (OSError, ValueError, SyntaxError):
        return False


def read_picture(path: Path) -> np.ndarray:
    """An image file as (h, w, 3) uint8 RGB, turned as its EXIF data says. Raises UserError (``footage-unreadable``).

    16-bit values are scaled to 8 bits, floating point ones (scene-linear) are clipped to 0..1 and encoded as sRGB, grey
    becomes RGB, alpha is dropped.
    """
    try:
        # OpenCV's own reader does not open names with letters beyond the system's code page on Windows.
        data = np.fromfile(path, np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR) if data.size else None
    except (OSError, cv2.error):
        picture = None
    if picture is None or picture.dtype not in (np.uint8, np.uint16, np.float32):
        raise _unreadable(path)
    if picture.dtype == np.uint16:
        picture = ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif picture.dtype == np.float32:
        linear = np.clip(np.nan_to_num(picture), 0.0, 1.0)
        encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        picture = np.round(255.0 * encoded).astype(np.uint8)
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB)


def _first_readable(paths: tuple[Path, ...]) -> tuple[Path, np.ndarray]:
    """The first image that can be read. Raises UserError (``footage-unreadable``), that of the first of all."""
    problem: UserError | None = None
    for path in paths:
        try:
            return path, read_picture(path)
        except UserError as error:
            problem = problem or error
    assert problem is not None, "there are images"
    raise problem


def _listed(names: list[str]) -> str:
    """The first few of many names."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" (+ {more})" if more > 0 else "")


def _unreadable(path: Path) -> UserError:
    return UserError(
        "footage-unreadable",
        "The image {path} cannot be read. It is damaged, or its format is not supported.",
        "Open it in another program and save it as PNG or JPEG.",
        path=path,
    )
