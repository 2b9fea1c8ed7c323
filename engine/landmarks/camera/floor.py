# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor from the people on it: the lowest level that they stand on.

This serves the tracking of the camera and the points while a clip streams. Which way is up in a finished take, and
where its floor is, is `engine.motion.ground`'s matter, which looks at points as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.rotations import unit
from ...contract.skeleton import BODY_JOINT_COUNT, LEFT_ANKLE, LEFT_FOOT, LEFT_HIP, LEFT_KNEE, NECK, PELVIS
from ...motion.standing_levels import lower_soles, on_lowest_level
from ...resuming.state_reader import StateReader

_LEAST_EVIDENCE = 8.0
"""Bodies that stand upright (those half bent count half) without which there is no floor."""

_WIDE_M = 1.5
"""Root mean square of the distance of feet from their middle, ahead, from which they tell the floor's tilt by
themselves: their distance is wrong by a few hundredths, and a tilt by less than a degree for it."""
_SIDEWAYS_M = 1.0
"""The same, sideways: there the places of feet are exact, and only their heights err."""

_FEET_M = 0.05
_OUTLIER = 2.5
_ROUNDS, _SETTLING_ROUNDS = 6, 2
_STEEPEST = np.cos(np.deg2rad(65.0))
"""Nobody films upside down: the floor's normal is within this of the picture's up."""

_MOST_LEAN = np.cos(np.deg2rad(12.0))
"""People do not lean so much all together: what is so far from their up is a slope between two levels."""

_LEAST_HEIGHT_M = 0.1

_MOST_STANCES = 1200
"""Bound of the memory (150 kB)."""

_FIXED = 1e9
"""Weight of a slope that stays as it is."""

_STANDING_M, _STANDING_SHARE = 0.1, 0.05
"""How far feet that stand on a level may be off it: so much, and so much of the camera's height, for their distance
errs by such a share."""
_LOW_PERCENTILE, _SUNK_M = 5.0, 0.05
"""Of those on the floor, all but so many percent are at most so deep in it."""

_FOUND_EVERY = 5
"""Frames between two looks for the floor while a clip streams."""

_BACKDROP_SHARE = 1.15
"""The backdrop is this much farther away than the farthest body."""
_NEAREST_BACKDROP_M = 6.0
_FARTHEST_BACKDROP_M = 100.0


@dataclass(frozen=True)
class Floor:
    """A plane in the frame of the joints that it is found from: the points p with `up . p == -height`."""

    up: np.ndarray
    """(3,) unit vector away from the earth."""
    height: float
    """Metres that the frame's origin, which is the first camera, is above it."""


_STANCE = 16
"""Numbers of a stance: direction from ankles to neck (3), how straight the body is (1), both ankles and both balls of
the feet (12)."""


class FloorEstimator:
    """The floor while a clip streams, in the world. Its state is replaced, never changed: a copy goes its own way."""

    def __init__(self) -> None:
        self._stances = np.zeros((0, _STANCE))
        self._farthest_m = 0.0
        self._frames = 0
        self._floor: Floor | None = None

    def update(self, joints: np.ndarray, world_from_camera: np.ndarray) -> None:
        """Add the (n, 55 or 22, 3) joints of a frame's people, camera frame, metres; and the camera's (4, 4) pose."""
        self._frames += 1
        if len(joints):
            in_world = np.asarray(joints, np.float64) @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
            stances = np.concatenate([self._stances, _stances(in_world)])
            # Every second one is forgotten: what is left still spans the whole clip.
            self._stances = stances if len(stances) <= _MOST_STANCES else stances[::2]
            self._farthest_m = max(self._farthest_m, _farthest_m(joints))
        if self._floor is None or self._frames % _FOUND_EVERY == 0:
            self._floor = _floor(self._stances)

    def floor(self) -> Floor | None:
        """The floor as it was a few frames ago at most, None with too little evidence."""
        return self._floor

    def backdrop_m(self) -> float:
        """As :func:`backdrop_behind`, of everybody so far, each as far as from the camera that saw them."""
        return _behind(self._farthest_m)

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        floor = [] if self._floor is None else [*self._floor.up, self._floor.height]
        return {
            "stances": self._stances,
            "farthest": np.array(self._farthest_m),
            "frames": np.array(self._frames),
            "floor": np.array(floor, np.float64),
        }

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the floor", arrays)
        stances = state.array("stances", np.float64, "P", _STANCE)
        state.require(len(stances) <= _MOST_STANCES, "there are too many stances")
        floor = state.array("floor", np.float64, "numbers")
        state.require(len(floor) in (0, 4), "its floor is no plane")
        self._frames, self._farthest_m = state.count("frames"), float(state.array("farthest", np.float64))
        self._stances, self._floor = stances, Floor(floor[:3], float(floor[3])) if len(floor) else None


def backdrop_behind(joints: np.ndarray) -> float:
    """How far away a backdrop stands that is behind everybody of (P, 55 or 22, 3) joints, and never near.

    Metres from the origin of the joints' frame.
    """
    return _behind(_farthest_m(joints))


def floor_from_people(joints: np.ndarray) -> Floor | None:
    """The floor under (P, 55 or 22, 3) joints in the camera frame, of people in any frames of a still camera.

    Its normal is the bodies' own up, or the plane of their feet where these are spread widely in depth; its height is
    that of their soles. None with too little evidence.
    """
    return _floor(_stances(joints))


def _farthest_m(joints: np.ndarray) -> float:
    return float(np.linalg.norm(joints[:, :BODY_JOINT_COUNT], axis=-1).max(initial=0.0))


def _behind(farthest_m: float) -> float:
    return min(max(_BACKDROP_SHARE * farthest_m, _NEAREST_BACKDROP_M), _FARTHEST_BACKDROP_M)


def _stances(joints: np.ndarray) -> np.ndarray:
    """(P, 16) what the evidence needs of each body."""
    joints = np.asarray(joints, dtype=np.float64)
    knees, ankles, hips = (joints[:, left : left + 2].mean(axis=1) for left in (LEFT_KNEE, LEFT_ANKLE, LEFT_HIP))
    trunk, thigh, shank = unit(joints[:, NECK] - joints[:, PELVIS]), unit(hips - knees), unit(knees - ankles)
    straight = (trunk * thigh).sum(axis=-1).clip(0, 1) ** 8 * (trunk * shank).sum(axis=-1).clip(0, 1) ** 4
    feet = joints[:, [LEFT_ANKLE, LEFT_ANKLE + 1, LEFT_FOOT, LEFT_FOOT + 1]].reshape(-1, 12)
    up = unit(joints[:, NECK] - ankles)
    return np.concatenate([up, straight[:, None], feet], axis=-1)


def _floor(stances: np.ndarray) -> Floor | None:
    directions, feet = stances[:, :3], stances[:, 4:].reshape(-1, 4, 3)
    straight = stances[:, 3] * (-directions[:, 1] > _STEEPEST)
    if straight.sum() < _LEAST_EVIDENCE:
        return None
    up = _middle_direction(directions, straight)
    # Where all lean, or stand on one slope, their up makes several levels of one floor.
    ways = [_settled(feet, first) for first in (up, _tilted_to(_soles(feet, up), up))]
    up = max((way for way in ways if way @ up > _MOST_LEAN), key=lambda way: len(_standing(feet, way)), default=up)
    lift = _standing(feet, up) @ up
    # Nobody stands in the floor, and so those who seem to say more than those who seem to float.
    lift_of_floor = min(np.median(lift), np.percentile(lift, _LOW_PERCENTILE) + _SUNK_M)
    height = -float(lift_of_floor)
    return Floor(up, height) if height >= _LEAST_HEIGHT_M and -up[1] > _STEEPEST else None


def _settled(feet: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(3,) normal of the floor that those stand on who stand lowest along a first guess."""
    for _ in range(_SETTLING_ROUNDS):
        up = _tilted_to(_standing(feet, up), up)
    return up


def _standing(feet: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(K, 3) the soles of those who stand on the lowest level, of (P, 4, 3) ankles and balls."""
    soles = _soles(feet, up)
    lift = soles @ up
    return soles[on_lowest_level(lift, max(_STANDING_M, _STANDING_SHARE * float(np.abs(np.median(lift)))))]


def _soles(feet: np.ndarray, up: np.ndarray) -> np.ndarray:
    return lower_soles(feet[:, :2], feet[:, 2:], up)


def _middle_direction(directions: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(3,) the direction that most agree on: Weiszfeld's median."""
    best = unit((directions * weight[:, None]).sum(axis=0))
    for _ in range(_ROUNDS):
        off = np.linalg.norm(directions - best, axis=-1) + 1e-3
        best = unit((directions * (weight / off)[:, None]).sum(axis=0))
    return best


def _tilted_to(feet: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(3,) normal of the plane through the feet, those off it left out; it stays as it is in directions in which they
    are not spread widely, and sideways in part where they are few.

    Feet far away are less sure: their distance is wrong by a share of it.
    """
    ahead = unit(np.cross((1.0, 0.0, 0.0), up))
    side = np.cross(up, ahead)
    middle = np.median(feet, axis=0)
    rows = np.stack([np.ones(len(feet)), (feet - middle) @ ahead, (feet - middle) @ side], axis=-1)
    wide = rows[:, 1:].std(axis=0) > (_WIDE_M, _SIDEWAYS_M)
    lift = (feet - middle) @ up
    distance = np.linalg.norm(feet, axis=-1)
    trust = (np.median(distance) / (_FEET_M * distance)) ** 2
    stays = np.where(wide, (1.0, len(feet) * np.median(trust)), _FIXED)
    weight = trust
    for _ in range(_ROUNDS):
        system = (rows * weight[:, None]).T @ rows + np.diag((0.0, *stays))
        slope = np.linalg.solve(system, rows.T @ (weight * lift))
        off = np.abs(rows @ slope - lift) * np.sqrt(trust)
        weight = trust / (1.0 + (off / _OUTLIER) ** 2)
    return unit(up - slope[1] * ahead - slope[2] * side)
