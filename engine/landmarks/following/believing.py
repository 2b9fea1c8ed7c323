# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks and whether to believe them: looked for in one crop or another, held against the detector's keypoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..networks.crops import crops_from_keypoints, crops_from_landmarks
from ..observations import BodyLandmarks, Crops, Detections
from .carrying import Subjects
from .likeness import keypoints_of, points_similarity
from .sides import detected_sides, sides_in_doubt, with_sides

Landmarker = Callable[[np.ndarray, Crops], BodyLandmarks]
"""(H, W, 3) uint8 and crops of it -> the landmarks in each."""

BODY = slice(0, 33)
"""The landmarks that are points of a body."""

PRESENT = 0.5
"""Presence from which the landmarks are somebody's."""

SURELY_PRESENT = 0.9
"""Presence from which they are, where the detector looked and found nobody: it alone believes a table's foot (0.84)."""

AGREES = 0.35
"""Agreement with the detector under which a crop shows somebody else, or a thing."""

_LOOK_AGAIN = 0.4
"""Agreement under which another crop is tried."""

_LEAST_INSIDE, _LEAST_INSIDE_DETECTED = 9, 5
"""Of the body's landmarks in the frame, without a detection and with one."""

_SAME_PERSON = 0.4
"""Similarity of two people's landmarks from which one of them has slid on to the other."""

_MIRRORED = 0.8
"""What agreement counts where left and right are exchanged: somebody is there, and one of the two networks is wrong."""

_TURNED_ROUND = 0.8
"""What landmarks are worth whose left and right have changed places since the last frame: nobody turns so fast."""

_OWN = 0.55
"""Agreement with their detections from which two people as close as that are two nevertheless."""


@dataclass(frozen=True)
class Seen:
    """The landmarks of a frame's subjects."""

    landmarks: BodyLandmarks
    agreement: np.ndarray
    """(n,) with the detection; NaN where there is none."""
    inside: np.ndarray
    """(n, 39) bool: the landmark lies in the frame."""

    @property
    def is_detected(self) -> np.ndarray:
        """(n,) bool"""
        return ~np.isnan(self.agreement)

    @property
    def is_lost(self) -> np.ndarray:
        """(n,) bool: the landmarks let go of somebody whom the detector was not asked about."""
        return ~self.is_detected & ~self.is_believed

    @property
    def is_believed(self) -> np.ndarray:
        """(n,) bool: there is a person."""
        inside = self.inside[:, BODY].sum(axis=1)
        detected = (self.agreement >= AGREES) & (inside >= _LEAST_INSIDE_DETECTED)
        alone = inside >= _LEAST_INSIDE
        return (self.landmarks.presence >= PRESENT) & np.where(self.is_detected, detected, alone)


def see(landmarker: Landmarker, rgb: np.ndarray, subjects: Subjects, people: Detections) -> Seen:
    """Look at the subjects; twice where the first crop is bad or left and right are in doubt, and at somebody new."""
    landmarks = landmarker(rgb, subjects.crop)
    value, doubtful = _worth(landmarks, subjects, people)
    again = np.flatnonzero(doubtful | ~subjects.is_known)
    if len(again):
        chosen = subjects.select(again)
        second = landmarker(rgb, _other_crops(landmarks.select(again), chosen, people))
        better = _worth(second, chosen, people)[0] > value[again]
        landmarks = _replaced(landmarks, again[better], second.select(better))
    landmarks = with_sides(landmarks, subjects, people)
    return Seen(landmarks, _agreements(landmarks, subjects.detection, people), _inside(landmarks.point_px, rgb))


def without_slid(seen: Seen, seniority: np.ndarray) -> np.ndarray:
    """Rows of the believed without those whose landmarks lie on somebody else; ``seniority`` (n,) of their tracks."""
    kept: list[int] = []
    trust = np.where(seen.is_detected, np.nan_to_num(seen.agreement) + 1.0, 0.0)
    for row in np.lexsort((-seniority, -np.round(trust, 1))):
        others = [one for one in kept if not _both_own(seen, row, one)]
        points = seen.landmarks.point_px[:, BODY]
        if seen.is_believed[row] and all(points_similarity(points[row], points[one]) <= _SAME_PERSON for one in others):
            kept.append(int(row))
    return np.array(sorted(kept), int)


def _both_own(seen: Seen, first: int, second: int) -> bool:
    return bool(seen.agreement[first] >= _OWN and seen.agreement[second] >= _OWN)  # false for NaN


def _worth(landmarks: BodyLandmarks, subjects: Subjects, people: Detections) -> tuple[np.ndarray, np.ndarray]:
    """(n,) how much to believe each, to compare two looks at one; (n,) bool, whether to look again."""
    agreements = _agreements(landmarks, subjects.detection, people)
    witness = sides_in_doubt(landmarks, subjects, people)
    value = landmarks.presence * np.nan_to_num(agreements, nan=1.0) * np.where(witness.before, _TURNED_ROUND, 1.0)
    bad = (agreements < _LOOK_AGAIN) | ((subjects.detection >= 0) & (landmarks.presence < PRESENT))
    return value, bad | witness.before | witness.detector


def _agreements(landmarks: BodyLandmarks, detection: np.ndarray, people: Detections) -> np.ndarray:
    """(n,) agreement of each with its detection, NaN without one; left and right may be exchanged, but that costs."""
    points, _ = keypoints_of(landmarks)
    agreements = np.full(len(detection), np.nan)
    for row in np.flatnonzero(detection >= 0):
        same, mirrored = detected_sides(points[row], people, int(detection[row]))
        agreements[row] = max(same, _MIRRORED * mirrored)
    return agreements


def _other_crops(landmarks: BodyLandmarks, subjects: Subjects, people: Detections) -> Crops:
    """The detection's where the first crop was carried on, else that of the landmarks found in it."""
    own = crops_from_landmarks(landmarks)
    rows = np.flatnonzero(subjects.is_carried & (subjects.detection >= 0))
    return _crops_replaced(own, rows, crops_from_keypoints(people.select(subjects.detection[rows])))


def _replaced(landmarks: BodyLandmarks, rows: np.ndarray, others: BodyLandmarks) -> BodyLandmarks:
    """The landmarks with some people's in place of those of their rows."""
    values: dict[str, Any] = {}
    for item in fields(BodyLandmarks):
        mine, given = getattr(landmarks, item.name), getattr(others, item.name)
        values[item.name] = _crops_replaced(mine, rows, given) if item.name == "crop" else _put(mine, rows, given)
    return BodyLandmarks(**values)


def _crops_replaced(crops: Crops, rows: np.ndarray, others: Crops) -> Crops:
    return Crops(*(_put(getattr(crops, one.name), rows, getattr(others, one.name)) for one in fields(Crops)))


def _put(array: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    array = array.copy()
    array[rows] = values
    return array


def _inside(point_px: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    return np.asarray(((point_px >= -0.5) & (point_px <= (width - 0.5, height - 0.5))).all(axis=-1))
