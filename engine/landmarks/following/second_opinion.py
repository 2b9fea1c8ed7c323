# SPDX-License-Identifier: GPL-3.0-or-later
"""What the detector says of somebody's left and right when it looks at him or her alone.

In profile the landmarks take one leg for the other for many frames in a row, and nothing in their path says which half
of them is wrong. The detector, whose frame is filled by the person, was right there nine times in ten. So it is asked
now and then, and the pass over the whole clip weighs what it said.
"""

from __future__ import annotations

import numpy as np

from ..observations import BodyLandmarks, Crops, Detections
from .likeness import MIRRORED, SEEN, keypoints_of
from .sides import detected_sides
from .tiles import Detector, detect_round

GROUPS = ((5, 6, 11, 12), (7, 8, 9, 10), (13, 14, 15, 16))
"""Keypoints of the torso, the arms, the legs: what can be exchanged by itself."""

_ROOM = 1.1
"""Edge of what the detector sees, in edges of the landmarks' crop."""

_NARROW = 0.5
"""Shoulders nearer to each other than this share of the torso's length are seen from the side."""

_APART = 0.25
"""Hands or feet farther from each other than this share of it are worth asking about."""

_SIGMA = 0.12
"""Distance of a landmark and a keypoint, as a share of the person's size, at which their likeness is 0.6."""

_LEAST_AGREEMENT = 0.35
"""Of all keypoints with the landmarks, sides aside; with less the detector has found somebody else."""


def is_doubtful(landmarks: BodyLandmarks) -> np.ndarray:
    """(n,) bool: people seen from the side whose arms or legs are apart in the picture."""
    points, _ = keypoints_of(landmarks)
    torso = np.linalg.norm(points[:, [5, 6]].mean(axis=1) - points[:, [11, 12]].mean(axis=1), axis=-1)
    wide, hands, feet = (np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in ((5, 6), (9, 10), (15, 16)))
    return np.asarray((wide < _NARROW * torso) & (np.maximum(hands, feet) > _APART * torso))


def opinions(detector: Detector, rgb: np.ndarray, landmarks: BodyLandmarks, asked: np.ndarray) -> np.ndarray:
    """(n, 3) -1..1 of torso, arms and legs: 1 where the detector has left and right as the landmarks have them, -1
    where it has them the other way round, 0 where it says nothing; only of those who are `asked` (n,) about."""
    found = np.zeros((len(asked), len(GROUPS)))
    points, _ = keypoints_of(landmarks)
    for row in np.flatnonzero(asked):
        crop = landmarks.crop.select(np.array([row]))
        people = detect_round(detector, rgb, Crops(crop.centre_px, crop.side_px * _ROOM, crop.angle))
        found[row] = _opinion(points[row], people)
    return found


def _opinion(points: np.ndarray, people: Detections) -> np.ndarray:
    """(3,) of one person's landmarks, those that are keypoints (17, 2)."""
    alike = [max(detected_sides(points, people, row)) for row in range(len(people))]
    if not alike or max(alike) < _LEAST_AGREEMENT:
        return np.zeros(len(GROUPS))
    row = int(np.argmax(alike))
    px, score = people.keypoint_px[row], people.keypoint_score[row]
    size = np.sqrt(np.ptp(px, axis=0).prod()) + 1e-6
    both = (np.minimum(score, score[list(MIRRORED)]) > SEEN).astype(np.float64)
    same, turned = _likeness(points, px, size), _likeness(points, px[list(MIRRORED)], size)
    return np.array([(both[list(group)] * (same - turned)[list(group)]).mean() for group in GROUPS])


def _likeness(points: np.ndarray, px: np.ndarray, size: float) -> np.ndarray:
    return np.asarray(np.exp(-((points - px) ** 2).sum(axis=-1) / (2 * (_SIGMA * size) ** 2)))
