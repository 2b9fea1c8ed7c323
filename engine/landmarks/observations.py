# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of the people in one frame, before any body is fitted.

n people. Pixels are those of the footage, (x, y), with the centre of the top-left pixel at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

KEYPOINT_COUNT = 17
"""Keypoints of the detector, in COCO's order: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles."""

LANDMARK_COUNT = 39
"""Landmarks of a body: BlazePose's 33, then the middle of the hips and the point above it that gives the body's axis
and size (33, 34), then four that nothing here uses."""

LANDMARKS_OF_KEYPOINTS = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""(17,) which landmark each of the detector's keypoints is."""


class _People:
    """Arrays of equal length, one row a person."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))  # type: ignore[arg-type]

    def select(self, rows: np.ndarray) -> Self:
        """The people of some rows: indices, or a mask."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}  # type: ignore[arg-type]
        return type(self)(
            **{
                name: value.select(rows) if isinstance(value, _People) else value[rows]
                for name, value in values.items()
            }
        )


@dataclass(frozen=True)
class Detections(_People):
    """People that the detector finds in a whole frame."""

    score: np.ndarray
    """(n,) 0..1: score of the person's centre times the mean of the nine best keypoints."""
    keypoint_px: np.ndarray
    """(n, 17, 2)"""
    keypoint_score: np.ndarray
    """(n, 17) 0..1"""
    box_px: np.ndarray
    """(n, 4) left, top, right, bottom."""


@dataclass(frozen=True)
class Crops(_People):
    """Square cut-outs of the frame, turned so that a direction of the frame points up in them."""

    centre_px: np.ndarray
    """(n, 2)"""
    side_px: np.ndarray
    """(n,) length of an edge in the frame."""
    angle: np.ndarray
    """(n,) radians: the frame's direction (sin, -cos) points up in the crop."""


@dataclass(frozen=True)
class BodyLandmarks(_People):
    """The landmarks of some people, each found in a crop of its own."""

    presence: np.ndarray
    """(n,) 0..1: that somebody is in the crop."""
    point_px: np.ndarray
    """(n, 39, 2)"""
    visibility: np.ndarray
    """(n, 39) 0..1: that the point is in the crop and not hidden."""
    world: np.ndarray
    """(n, 39, 3) metres from the middle of the hips, in a camera that looks along the ray through the crop's centre
    (x right, y down, z away; the crop's turn is undone, the direction of the ray is not)."""
    crop: Crops
    mask: np.ndarray
    """(n, 256, 256) float16 or float32, 0..1: that a pixel of the crop shows the person."""


@dataclass(frozen=True)
class FollowedPeople(_People):
    """The people of one frame with their identities."""

    track_id: np.ndarray
    """(n,) int64, stable over the clip, never reused."""
    score: np.ndarray
    """(n,) 0..1"""
    landmarks: BodyLandmarks
    inside: np.ndarray
    """(n, 39) bool: the landmark lies in the frame."""
    sides: np.ndarray
    """(n, 3) -1..1 of torso, arms and legs: 1 where the detector is sure that left and right are as the landmarks have
    them, -1 where it is sure of the opposite, 0 where it was not asked or does not know."""


@dataclass(frozen=True)
class Pinhole:
    """A camera with square pixels, in pixels of the footage."""

    focal_px: float
    principal_point_px: np.ndarray
    """(2,)"""


@dataclass(frozen=True)
class FittedBodies(_People):
    """Bodies fitted to landmarks, in the camera frame."""

    rotations: np.ndarray
    """(n, 55, 3, 3) of each joint in its parent's frame, SMPL-X's order; the root's in the camera frame."""
    betas: np.ndarray
    """(n, 10)"""
    pelvis: np.ndarray
    """(n, 3) position of the pelvis joint, metres."""
    joints: np.ndarray
    """(n, 55, 3) metres."""
    error: np.ndarray
    """(n,) median distance of the projected landmarks from the seen ones, as a share of the person's size."""
