# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage: a video, a folder of pictures or a numbered sequence, read from beginning to end, upright, at true times."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..contract.errors import UserError
from ..contract.media import picture_sequence

SEQUENCE_RATE = 24.0
"""Frames per second of a sequence of pictures when nobody says otherwise: Blender's own default."""

MISSING_SECONDS = 1.0
"""A video that ends this much earlier than its container announces has lost something, and the take says so. Less is
normal: edit lists hide frames, and a container's duration may be that of its sound."""


DAMAGED_IN_A_ROW = 25
"""After so many failures to decode the next picture the video is taken to be over: its end looks the same."""


@dataclass(frozen=True)
class Picture:
    """One picture of a footage."""

    source_frame: int
    """Its number in the footage, from 0."""
    time_s: float
    """Its presentation time, seconds after the footage's first picture."""
    rgb: np.ndarray
    """(h, w, 3) uint8, upright."""


class Footage(ABC):
    """Pictures in a row, all of one size."""

    size: tuple[int, int]
    """Width and height, upright."""
    frame_rate: float
    """Nominal frames per second."""
    frame_count: int | None
    """How many pictures there are; an estimate for some containers, None where they do not tell."""
    problem: str | None = None
    """After reading: one sentence when not everything could be read that the footage announced."""

    @abstractmethod
    def pictures(self, start: int = 0, end: int | None = None, stride: int = 1) -> Iterator[Picture]:
        """Every `stride`-th picture from `start` until before `end`, decoded one after the other. Once per footage."""

    def expected_count(self, start: int, end: int | None, stride: int) -> int | None:
        """How many pictures `pictures` will give, as far as the footage tells."""
        if self.frame_count is None:
            return None if end is None else len(range(start, end, stride))
        return len(range(start, self.frame_count if end is None else min(end, self.frame_count), stride))

    def close(self) -> None:  # noqa: B027 - most footage has nothing to close
        """Let go of files."""


class VideoFile(Footage):
    """A video, decoded in order. OpenCV turns the pictures upright as the container's rotation says.

    With `frame_rate` the container's times are set aside and pictures come at that rate.
    """

    def __init__(self, path: Path, frame_rate: float | None = None) -> None:
        self._name = path.name
        self._rate_given = frame_rate is not None
        self._lost = 0
        self._capture = cv2.VideoCapture(str(path))
        size = tuple(int(self._capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if not self._capture.isOpened() or min(size) < 1:
            raise UserError(
                "footage-unreadable",
                "{path} cannot be read as a video. It is damaged, or its format is not supported.",
                "Check whether another program plays it, or convert it to MP4 (H.264).",
                path=path,
            )
        self.size = (size[0], size[1])
        announced = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate = frame_rate or (announced if 0 < announced <= 1000 else SEQUENCE_RATE)
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.frame_count = int(count) if 0 < count < 2**31 else None
        self._duration_s = count / announced if self.frame_count and announced > 0 else 0.0

    def pictures(self, start: int = 0, end: int | None = None, stride: int = 1) -> Iterator[Picture]:
        first_ms: float | None = None
        time_s, count = 0.0, 0
        for index in self._grabbed(end):
            # Pictures before the start are decoded and dropped: seeking is not exact in every container.
            position_ms = self._capture.get(cv2.CAP_PROP_POS_MSEC)
            first_ms = position_ms if first_ms is None else first_ms
            time_s, count = self._time(index, (position_ms - first_ms) / 1000.0, time_s), index + 1
            if index >= start and (index - start) % stride == 0:
                readable, bgr = self._capture.retrieve()
                if readable:
                    yield Picture(index, time_s, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
                else:
                    self._lost += 1
        wanted_more = (end is None or count < end) and not self._rate_given
        ended_early = wanted_more and self._duration_s - time_s > MISSING_SECONDS
        self.problem = self._describe_problem(time_s if ended_early else None)

    def _grabbed(self, end: int | None) -> Iterator[int]:
        """Decode picture after picture and give its number; damaged ones keep theirs but are passed over."""
        index, failures = 0, 0
        while (end is None or index < end) and failures <= DAMAGED_IN_A_ROW:
            if not self._capture.grab():
                failures += 1
                continue
            self._lost += failures
            index, failures = index + failures, 0
            yield index
            index += 1

    def _describe_problem(self, ended_early_at_s: float | None) -> str | None:
        parts = []
        if self._lost:
            parts.append(f"{self._name}: damaged frames were left out ({self._lost}).")
        if ended_early_at_s is not None:
            parts.append(
                f"{self._name} ends early, at {ended_early_at_s:.1f} s of {self._duration_s:.1f} s. The file is cut "
                "off or damaged there."
            )
        return " ".join(parts) or None

    def _time(self, index: int, stamp_s: float, previous_s: float) -> float:
        """The container's time where it goes forward; some old containers (AVI) have none for some pictures."""
        if index == 0:
            return 0.0
        if self._rate_given:
            return index / self.frame_rate
        return stamp_s if stamp_s > previous_s else previous_s + 1.0 / self.frame_rate

    def close(self) -> None:
        self._capture.release()


class PictureSequence(Footage):
    """Picture files in the order given; their numbers in the footage are their places in the list."""

    def __init__(self, paths: list[Path], frame_rate: float | None = None) -> None:
        self._paths = paths
        self.frame_rate = frame_rate or SEQUENCE_RATE
        self.frame_count = len(paths)
        height, width = read_picture(paths[0]).shape[:2]
        self.size = (width, height)

    def pictures(self, start: int = 0, end: int | None = None, stride: int = 1) -> Iterator[Picture]:
        for index in range(len(self._paths))[start:end:stride]:
            rgb = read_picture(self._paths[index])
            size = (rgb.shape[1], rgb.shape[0])
            if size != self.size:
                raise UserError(
                    "footage-sizes-differ",
                    "{path} is {size} pixels, but the first image {first} is {first_size}.",
                    "Give all images of the sequence the same size, or move those that do not belong to it elsewhere.",
                    path=self._paths[index],
                    size=f"{size[0]}x{size[1]}",
                    first=self._paths[0].name,
                    first_size=f"{self.size[0]}x{self.size[1]}",
                )
            yield Picture(index, index / self.frame_rate, rgb)


def open_footage(source: str | os.PathLike[str], frame_rate: float | None = None) -> Footage:
    """Open a video, a folder of pictures, one picture, or a pattern (``shot.%04d.png``, ``shot.####.png``).

    Raises UserError: ``footage-missing``, ``footage-unreadable``, ``footage-empty``.
    """
    path = Path(source).expanduser()
    pictures = picture_sequence(path)
    if pictures:
        return PictureSequence(pictures, frame_rate)
    if path.is_file():
        return VideoFile(path, frame_rate)
    if path.is_dir():
        raise UserError(
            "footage-empty",
            "There are no images in the folder {path}.",
            "Choose a video file, or a folder with PNG, JPEG, TIFF or other images.",
            path=path,
        )
    if pictures is None:
        raise UserError(
            "footage-missing", "There is no file or folder {path}.", "Check the path and its spelling.", path=path
        )
    raise UserError(
        "footage-empty",
        "No file matches the pattern {path}.",
        "Check the folder, the name before the number, and the number of digits.",
        path=path,
    )


def read_picture(path: Path) -> np.ndarray:
    """A picture file as (h, w, 3) uint8 RGB, turned as its EXIF data says. Raises UserError (``footage-unreadable``).

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
        raise UserError(
            "footage-unreadable",
            "The image {path} cannot be read. It is damaged, or its format is not supported.",
            "Open it in another program and save it as PNG or JPEG.",
            path=path,
        )
    if picture.dtype == np.uint16:
        picture = ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif picture.dtype == np.float32:
        linear = np.clip(np.nan_to_num(picture), 0.0, 1.0)
        encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        picture = np.round(255.0 * encoded).astype(np.uint8)
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB)
