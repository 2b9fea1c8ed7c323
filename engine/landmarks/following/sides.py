# SPDX-License-Identifier: GPL-3.0-or-later
"""Left and right: whether landmarks have them exchanged, as they do with small people seen from behind.

There are two witnesses: the detector's keypoints, and the frame before, since nobody turns round from one frame to the
next. Each of them is wrong at times, so landmarks are exchanged only where both say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..observations import BodyLandmarks, Detections
from .carrying import Subjects
from .likeness import MIRRORED, agreement, keypoints_of, points_similarity

EXCHANGED = np.array(
    [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9]
    + [one for left in range(11, 33, 2) for one in (left + 1, left)]
    + [33, 34, 35, 36, 37, 38]
)
"""(39,) which landmark each one is if left and right are exchanged."""

_TRUNK_AND_LIMBS = slice(5, 17)
"""Keypoints that tell sides apart: those of the face lie too close to each other."""

_CLEARLY = 0.15
"""By so much the exchanged sides have to fit better."""


@dataclass(frozen=True)
class Witnesses:
    """Who says that left and right are exchanged."""

    before: np.ndarray
    """(n,) bool: the frame before."""
    detector: np.ndarray
    """(n,) bool"""


def detected_sides(points: np.ndarray, people: Detections, row: int) -> tuple[float, float]:
    """Agreement of a person's points (17, 2) with a detection, and with it when left and right are exchanged."""
    px, score, mirrored = people.keypoint_px[row], people.keypoint_score[row], list(MIRRORED)
    return agreement(points, px, score), agreement(points, px[mirrored], score[mirrored])


def sides_in_doubt(landmarks: BodyLandmarks, subjects: Subjects, people: Detections) -> Witnesses:
    """Who says that landmarks have left and right exchanged."""
    points, _ = keypoints_of(landmarks)
    before, detector = np.zeros(len(points), bool), np.zeros(len(points), bool)
    for row, (now, last, one) in enumerate(zip(points, subjects.before_px, subjects.detection, strict=True)):
        if not np.isnan(last).any():
            limbs, exchanged = last[_TRUNK_AND_LIMBS], last[list(MIRRORED)][_TRUNK_AND_LIMBS]
            same = points_similarity(now[_TRUNK_AND_LIMBS], limbs)
            before[row] = points_similarity(now[_TRUNK_AND_LIMBS], exchanged) > same + _CLEARLY
        if one >= 0:
            same, mirrored = detected_sides(now, people, int(one))
            detector[row] = mirrored > same + _CLEARLY
    return Witnesses(before, detector)


def with_sides(landmarks: BodyLandmarks, subjects: Subjects, people: Detections) -> BodyLandmarks:
    """The landmarks, with left and right exchanged where both witnesses say so.

    What was near is then far: a body seen from behind makes the same outline as one seen from the front.
    """
    witness = sides_in_doubt(landmarks, subjects, people)
    rows = np.flatnonzero(witness.before & witness.detector)
    if not len(rows):
        return landmarks
    point_px, visibility, world = (
        array.copy() for array in (landmarks.point_px, landmarks.visibility, landmarks.world)
    )
    point_px[rows] = point_px[rows][:, EXCHANGED]
    visibility[rows] = visibility[rows][:, EXCHANGED]
    world[rows] = world[rows][:, EXCHANGED] * (1, 1, -1)
    return replace(landmarks, point_px=point_px, visibility=visibility, world=world)
