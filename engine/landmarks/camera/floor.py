# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor that a still camera sees, from the people on it, and a rough depth of the surroundings made of it.

This serves the tracking of the camera and the points while a clip streams. Which way is up in a finished take, and
where its floor is, is `engine.motion.ground`'s matter, which looks at points as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.skeleton import LEFT_ANKLE, LEFT_HIP, LEFT_KNEE, NECK, PELVIS
from ...resuming.state_reader import StateReader
from ..observations import Pinhole
from .placing import unit

ANKLE_ABOVE_SOLE_M = 0.07

_LEAST_EVIDENCE = 8.0
"""Bodies that stand upright (those half bent count half) without which there is no floor."""

_WIDE_M = 1.5
"""Root mean square of the distance of feet from their middle, ahead, from which they tell the floor's tilt by
themselves: their distance is wrong by a few hundredths, and a tilt by less than a degree for it."""

_FEET_M = 0.05
_OUTLIER = 2.5
_ROUNDS = 6
_STEEPEST = np.cos(np.deg2rad(65.0))
"""Nobody films upside down: the floor's normal is within this of the picture's up."""

_LEAST_HEIGHT_M = 0.1

_MOST_STANCES = 1200
"""Bound of the memory (100 kB)."""

_BACKDROP_SHARE = 1.15
"""The backdrop stands this much farther than the farthest people."""
_NEAREST_BACKDROP_M = 6.0
_FAR_PERCENTILE = 98.0


@dataclass(frozen=True)
class Floor:
    """A plane in the camera frame: the points p with `up . p == -height`."""

    up: np.ndarray
    """(3,) unit vector away from the earth."""
    height: float
    """Metres that the camera is above it."""


_STANCE = 11
"""Numbers of a stance: direction from ankles to neck (3), how straight the body is (1), both ankles (6), and the
pelvis's depth (1)."""


class FloorEstimator:
    """The floor while a clip streams. Its state is replaced and never changed: a copy goes its own way."""

    def __init__(self) -> None:
        self._stances = np.zeros((0, _STANCE))

    def update(self, joints: np.ndarray) -> None:
        """Add the (n, 55 or 22, 3) joints of a frame's people, camera frame, metres."""
        if len(joints):
            stances = np.concatenate([self._stances, _stances(joints)])
            # Every second one is forgotten: what is left still spans the whole clip.
            self._stances = stances if len(stances) <= _MOST_STANCES else stances[::2]

    def floor(self) -> Floor | None:
        """The floor, None with too little evidence."""
        return _floor(self._stances)

    def backdrop_m(self) -> float:
        """Depth at which an upright backdrop stands: behind all people, and never near."""
        depth = self._stances[:, _STANCE - 1]
        farthest = float(np.percentile(depth, _FAR_PERCENTILE)) if len(depth) else 0.0
        return max(_BACKDROP_SHARE * farthest, _NEAREST_BACKDROP_M)

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        return {"stances": self._stances}

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the floor", arrays)
        stances = state.array("stances", np.float64, "P", _STANCE)
        state.require(len(stances) <= _MOST_STANCES, "there are too many stances")
        self._stances = stances


def floor_from_people(joints: np.ndarray) -> Floor | None:
    """The floor under (P, 55 or 22, 3) joints in the camera frame, of people in any frames of a still camera.

    Its normal is the bodies' own up, or the plane of their feet where these are spread widely in depth; its height is
    that of their soles. None with too little evidence.
    """
    return _floor(_stances(joints))


def depth_of_surroundings(floor: Floor | None, camera: Pinhole, size: tuple[int, int], far: float) -> np.ndarray:
    """(H, W) float32 depth of a picture of `size` (width, height): the floor as far as `far`, there a backdrop."""
    width, height = size
    if floor is None:
        return np.full((height, width), far, dtype=np.float32)
    x = (np.arange(width) - camera.principal_point_px[0]) / camera.focal_px
    y = (np.arange(height) - camera.principal_point_px[1]) / camera.focal_px
    descent = -(floor.up[0] * x + floor.up[1] * y[:, None] + floor.up[2])
    with np.errstate(divide="ignore"):
        depth = np.where(descent > 0, floor.height / descent, np.inf)
    return np.minimum(depth, far).astype(np.float32)


def _stances(joints: np.ndarray) -> np.ndarray:
    """(P, 11) what the evidence needs of each body."""
    joints = np.asarray(joints, dtype=np.float64)
    knees, ankles, hips = (joints[:, left : left + 2].mean(axis=1) for left in (LEFT_KNEE, LEFT_ANKLE, LEFT_HIP))
    trunk, thigh, shank = unit(joints[:, NECK] - joints[:, PELVIS]), unit(hips - knees), unit(knees - ankles)
    straight = (trunk * thigh).sum(axis=-1).clip(0, 1) ** 8 * (trunk * shank).sum(axis=-1).clip(0, 1) ** 4
    feet = joints[:, LEFT_ANKLE : LEFT_ANKLE + 2].reshape(-1, 6)
    up = unit(joints[:, NECK] - ankles)
    return np.concatenate([up, straight[:, None], feet, joints[:, PELVIS, 2:]], axis=-1)


def _floor(stances: np.ndarray) -> Floor | None:
    directions, feet = stances[:, :3], stances[:, 4:10]
    straight = stances[:, 3] * (-directions[:, 1] > _STEEPEST)
    if straight.sum() < _LEAST_EVIDENCE:
        return None
    up = _middle_direction(directions, straight)
    level = _lower_feet(feet, up)
    if _spread_ahead(level, up) > _WIDE_M:
        up = _plane_of(level, up)
    height = float(-np.median(_lower_feet(feet, up) @ up)) + ANKLE_ABOVE_SOLE_M
    return Floor(up, height) if height >= _LEAST_HEIGHT_M and -up[1] > _STEEPEST else None


def _middle_direction(directions: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(3,) the direction that most agree on: Weiszfeld's median."""
    best = unit((directions * weight[:, None]).sum(axis=0))
    for _ in range(_ROUNDS):
        off = np.linalg.norm(directions - best, axis=-1) + 1e-3
        best = unit((directions * (weight / off)[:, None]).sum(axis=0))
    return best


def _lower_feet(feet: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(P, 3) the lower ankle of each body, of (P, 6) ankles."""
    pairs = feet.reshape(-1, 2, 3)
    return np.take_along_axis(pairs, (pairs @ up).argmin(axis=1)[:, None, None], axis=1)[:, 0]


def _spread_ahead(feet: np.ndarray, up: np.ndarray) -> float:
    ahead = unit(np.cross((1.0, 0.0, 0.0), up))
    return float(np.std(feet @ ahead))


def _plane_of(feet: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(3,) normal of the plane through the feet, those off it left out; sideways it stays as it is where they are few.

    Feet far away are less sure: their distance is wrong by a share of it.
    """
    ahead = unit(np.cross((1.0, 0.0, 0.0), up))
    side = np.cross(up, ahead)
    middle = np.median(feet, axis=0)
    rows = np.stack([np.ones(len(feet)), (feet - middle) @ ahead, (feet - middle) @ side], axis=-1)
    lift = (feet - middle) @ up
    distance = np.linalg.norm(feet, axis=-1)
    trust = (np.median(distance) / (_FEET_M * distance)) ** 2
    weight = trust
    for _ in range(_ROUNDS):
        system = (rows * weight[:, None]).T @ rows + np.diag((0.0, 1.0, len(feet) * np.median(trust)))
        slope = np.linalg.solve(system, rows.T @ (weight * lift))
        off = np.abs(rows @ slope - lift) * np.sqrt(trust)
        weight = trust / (1.0 + (off / _OUTLIER) ** 2)
    return unit(up - slope[1] * ahead - slope[2] * side)
