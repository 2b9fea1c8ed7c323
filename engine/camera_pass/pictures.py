# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures that the camera is followed on: grey, of a moderate size, with all people marked.

Everything after this works in *centered pixels*: (x, y) from the principal point, in pixels of a picture whose long
side has `LONG_SIDE` of them. So thresholds mean the same for every footage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from .clip import Clip
from .scaling import Scaling

LONG_SIDE = 640
"""Pixels of the long side; smaller footage is not enlarged, but its pixels are counted as if it were."""

NEIGHBORS = 1
"""Frames before and after whose people are left out too: masks flicker, and what they miss moves."""


@dataclass(frozen=True)
class PictureFrame:
    """How pixels of a clip's pictures become centered pixels."""

    scaling: Scaling
    principal_point_px: np.ndarray
    """(2,) footage pixels."""

    @classmethod
    def of(cls, footage_size: tuple[int, int], principal_point_px: np.ndarray) -> PictureFrame:
        """That of footage of this size."""
        return cls(Scaling.to_long_side(footage_size, LONG_SIDE), np.asarray(principal_point_px, np.float64))

    @property
    def scale(self) -> float:
        """Centered pixels per footage pixel."""
        return LONG_SIDE / max(self.scaling.footage_size)

    def centered(self, pixel: np.ndarray) -> np.ndarray:
        """(N, 2) pixels of a picture as centered ones."""
        return ((pixel + 0.5) / self.scaling.share - 0.5 - self.principal_point_px) * self.scale


@dataclass(frozen=True)
class PassPicture:
    """One picture of a clip."""

    index: int
    """Of its frame."""
    grey: np.ndarray
    """(h, w) uint8."""
    free: np.ndarray
    """(h, w) uint8: 1 where nobody is, in this frame and its neighbors."""


def pass_pictures(clip: Clip, frame: PictureFrame) -> Iterator[PassPicture]:
    """All pictures of the clip in their order; those that are damaged by now are left out."""
    waiting: deque[tuple[int, np.ndarray]] = deque()
    people: deque[np.ndarray] = deque(maxlen=2 * NEIGHBORS + 1)
    for shot in clip.pictures():
        waiting.append((shot.frame.index, frame.scaling.picture(cv2.cvtColor(shot.rgb, cv2.COLOR_RGB2GRAY))))
        people.append(frame.scaling.people(shot.frame, clip.joints(shot.frame)))
        if len(waiting) > NEIGHBORS:
            yield PassPicture(*waiting.popleft(), _free(people))
    while waiting:
        if len(people) > len(waiting) + NEIGHBORS:
            people.popleft()
        yield PassPicture(*waiting.popleft(), _free(people))


def _free(people: deque[np.ndarray]) -> np.ndarray:
    return (~np.logical_or.reduce(list(people))).astype(np.uint8)
