# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is looked at in a frame, and what is carried from it to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...resuming.state_reader import StateReader
from ..networks.crops import crops_from_landmarks
from ..observations import KEYPOINT_COUNT, BodyLandmarks, Crops
from .likeness import keypoints_of


def no_crops() -> Crops:
    """Crops of nobody."""
    return Crops(np.zeros((0, 2)), np.zeros(0), np.zeros(0))


def joined_crops(first: Crops, second: Crops) -> Crops:
    """Both, in their order."""
    return Crops(
        np.concatenate([first.centre_px, second.centre_px]),
        np.concatenate([first.side_px, second.side_px]),
        np.concatenate([first.angle, second.angle]),
    )


def with_crop(crops: Crops, row: int, others: Crops, other_row: int) -> Crops:
    """The crops with another's in place of one."""
    rows = np.arange(len(crops))
    rows[row] = len(crops) + other_row
    return joined_crops(crops, others).select(rows)


@dataclass(frozen=True)
class Carried:
    """Where the landmarks of the last frame's people lie, and the crops that they are looked for in next."""

    key: np.ndarray
    """(n,) int64 of the people's tracks."""
    crop: Crops
    keypoint_px: np.ndarray
    """(n, 17, 2) the landmarks that the detector has too."""

    @classmethod
    def nobody(cls) -> Carried:
        return cls(np.zeros(0, np.int64), no_crops(), np.zeros((0, KEYPOINT_COUNT, 2)))

    @classmethod
    def of(cls, key: np.ndarray, landmarks: BodyLandmarks) -> Carried:
        """What to remember of a frame's people."""
        return cls(key, crops_from_landmarks(landmarks), keypoints_of(landmarks)[0])

    def row_of(self, key: int) -> int:
        """The row of a track's person, -1 where nobody is."""
        rows = np.flatnonzero(self.key == key)
        return int(rows[0]) if len(rows) else -1

    def keypoints_of(self, keys: np.ndarray) -> np.ndarray:
        """(n, 17, 2) of these tracks' people, NaN for those who are not carried."""
        places, unknown = self.places(), np.full((KEYPOINT_COUNT, 2), np.nan)
        return np.array([places.get(int(key), unknown) for key in keys]).reshape(-1, KEYPOINT_COUNT, 2)

    def places(self) -> dict[int, np.ndarray]:
        """(17, 2) keypoints by the key of a track."""
        return {int(key): px for key, px in zip(self.key, self.keypoint_px, strict=True)}

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays."""
        return {
            "carried_key": self.key.astype(np.int64),
            "carried_centre": self.crop.centre_px.astype(np.float64),
            "carried_side": self.crop.side_px.astype(np.float64),
            "carried_angle": self.crop.angle.astype(np.float64),
            "carried_keypoints": self.keypoint_px.astype(np.float64),
        }

    @classmethod
    def from_state(cls, state: StateReader) -> Carried:
        """From :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        key = state.array("carried_key", np.int64, "carried")
        crop = Crops(
            state.array("carried_centre", np.float64, "carried", 2),
            state.array("carried_side", np.float64, "carried"),
            state.array("carried_angle", np.float64, "carried"),
        )
        return cls(key, crop, state.array("carried_keypoints", np.float64, "carried", KEYPOINT_COUNT, 2))


@dataclass(frozen=True)
class Subjects:
    """Whom the landmarks look at in a frame."""

    key: np.ndarray
    """(n,) int64 of the people's tracks."""
    detection: np.ndarray
    """(n,) int64 row of the frame's detections, -1 for none."""
    crop: Crops
    is_carried: np.ndarray
    """(n,) bool: the crop comes from the last frame's landmarks, not from the detection."""
    is_known: np.ndarray
    """(n,) bool: the landmarks have believed in this person before."""
    before_px: np.ndarray
    """(n, 17, 2) keypoints in the last frame; NaN where the person was not there."""

    def select(self, rows: np.ndarray) -> Subjects:
        """Some of them."""
        return Subjects(
            self.key[rows],
            self.detection[rows],
            self.crop.select(rows),
            self.is_carried[rows],
            self.is_known[rows],
            self.before_px[rows],
        )

    @classmethod
    def carried_on(cls, carried: Carried) -> Subjects:
        """The people of the last frame."""
        count = len(carried.key)
        known = np.ones(count, bool)
        return cls(carried.key, np.full(count, -1), carried.crop, known, known, carried.keypoint_px)
