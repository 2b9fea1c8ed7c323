# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the corners of a clip were seen, frame after frame, in a temporary file: memory does not grow with the clip."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from ..contract.whole_file import explained_temporary_errors

_RECORD = np.dtype([("track", "<i4"), ("pixel", "<f4", 2)])


@dataclass(frozen=True)
class Seen:
    """The corners of one frame."""

    track: np.ndarray
    """(n,) int numbers of corners, ascending; never used again."""
    pixel: np.ndarray
    """(n, 2) centered pixels."""

    def common(self, other: Seen) -> tuple[np.ndarray, np.ndarray]:
        """(m, 2) pixels here and (m, 2) there of the corners that both have."""
        _, here, there = np.intersect1d(self.track, other.track, assume_unique=True, return_indices=True)
        return self.pixel[here], other.pixel[there]


class Observations:
    """The corners of all frames so far. Close it, or use it as a context manager: the file goes then."""

    def __init__(self) -> None:
        """Raises UserError (``disk-full``, ``temporary-unwritable``)."""
        with explained_temporary_errors():
            self._file = tempfile.TemporaryFile(prefix="human3r-corners-")
        self._offsets = [0]

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __enter__(self) -> Observations:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(OSError):  # what a full disk did not take is not needed any more
            self._file.close()

    def add(self, seen: Seen) -> None:
        """The next frame's corners. Raises UserError as the constructor does."""
        records = np.empty(len(seen.track), _RECORD)
        records["track"], records["pixel"] = seen.track, seen.pixel
        with explained_temporary_errors():
            self._file.seek(self._offsets[-1] * _RECORD.itemsize)
            self._file.write(records.tobytes())
        self._offsets.append(self._offsets[-1] + len(records))

    def counts(self) -> np.ndarray:
        """(N,) how many corners each frame has."""
        return np.diff(self._offsets)

    def frame(self, index: int) -> Seen:
        """The corners of one frame. Raises as the constructor does: what was added may be written only now."""
        first, last = self._offsets[index], self._offsets[index + 1]
        with explained_temporary_errors():
            self._file.seek(first * _RECORD.itemsize)
            data = self._file.read((last - first) * _RECORD.itemsize)
        records = np.frombuffer(data, _RECORD)
        return Seen(records["track"].astype(np.int64), records["pixel"].astype(np.float64))
