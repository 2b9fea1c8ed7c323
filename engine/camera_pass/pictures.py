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

from ..contract.messages import Frame, unpack_mask
from ..stages.place_depth import people_with_bones
from .clip import Clip

LONG_SIDE = 640
"""Pixels of the long side; smaller footage is not enlarged, but its pixels are counted as if it were."""

NEIGHBORS = 1
"""Frames before and after whose people are left out too: masks flicker, and what they miss moves."""


@dataclass(frozen=True)
class PictureFrame:
    """How pixels of a clip's pictures become centered pixels."""

    size: tuple[int, int]
    """Width and height of the pictures."""
    footage_size: tuple[int, int]
    principal_point_px: np.ndarray
    """(2,) footage pixels."""

    @classmethod
    def of(cls, footage_size: tuple[int, int], principal_point_px: np.ndarray) -> PictureFrame:
        """That of footage of this size."""
        share = min(1.0, LONG_SIDE / max(footage_size))
        width, height = (max(1, round(side * share)) for side in footage_size)
        return cls((width, height), footage_size, np.asarray(principal_point_px, np.float64))

    @property
    def scale(self) -> float:
        """Centered pixels per footage pixel."""
        return LONG_SIDE / max(self.footage_size)

    def centered(self, pixel: np.ndarray) -> np.ndarray:
        """(N, 2) pixels of a picture as centered ones."""
        ratio = np.asarray(self.footage_size, np.float64) / self.size
        return ((pixel + 0.5) * ratio - 0.5 - self.principal_point_px) * self.scale

    def camera(self, focal_px: float) -> np.ndarray:
        """(3, 3) pinhole of the pictures, for a focal length in footage pixels."""
        ratio = np.asarray(self.size, np.float64) / self.footage_size
        center = (self.principal_point_px + 0.5) * ratio - 0.5
        return np.array([[focal_px * ratio[0], 0, center[0]], [0, focal_px * ratio[1], center[1]], [0, 0, 1.0]])


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
        grey = cv2.cvtColor(shot.rgb, cv2.COLOR_RGB2GRAY)
        if grey.shape[::-1] != frame.size:
            grey = cv2.resize(grey, frame.size, interpolation=cv2.INTER_AREA)
        waiting.append((shot.frame.index, grey))
        people.append(people_in(shot.frame, clip, frame))
        if len(waiting) > NEIGHBORS:
            yield PassPicture(*waiting.popleft(), _free(people))
    while waiting:
        if len(people) > len(waiting) + NEIGHBORS:
            people.popleft()
        yield PassPicture(*waiting.popleft(), _free(people))


def people_in(frame: Frame, clip: Clip, picture: PictureFrame) -> np.ndarray:
    """(h, w) uint8, 1 where a frame's people are in its picture, with a margin."""
    left, top, right, bottom = frame.mask_box_px
    ratio = np.asarray(picture.size, np.float64) / picture.footage_size
    mask_width, mask_height = frame.mask_size
    # Edges of the box to edges of the mask; pixel centers lie half a pixel inside.
    spread = np.array([mask_width / (right - left), mask_height / (bottom - top)]) / ratio
    shift = (np.array([-0.5, -0.5]) - (left, top)) * ratio * spread + 0.5 * spread - 0.5
    from_picture = np.array([[spread[0], 0, shift[0]], [0, spread[1], shift[1]]])
    mask = cv2.warpAffine(
        unpack_mask(frame).astype(np.uint8),
        from_picture,
        picture.size,
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return people_with_bones(mask, clip.joints(frame), picture.camera(frame.focal_px))


def _free(people: deque[np.ndarray]) -> np.ndarray:
    return (1 - np.maximum.reduce(list(people))).astype(np.uint8)
