# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who jumps three times, before a camera six meters away."""

from __future__ import annotations

import numpy as np

from engine.contract.rotations import axis_angle_to_quaternion
from engine.contract.skeleton import LEFT_ANKLE, LEFT_FOOT, LEFT_HIP, LEFT_KNEE, PELVIS
from engine.motion.body_motion import BodyMotion
from engine.motion.flights import GRAVITY, centre_of_mass

from . import people

UP = np.array([0.0, 1.0, 0.0])
TAKE_OFF_S = (1.0, 2.5, 4.0)
_CROUCH_S = 0.2


def camera(motion: BodyMotion) -> np.ndarray:
    return np.tile([0.0, 0.3, 6.0], (len(motion), 1))


def air_s(height_m: float) -> float:
    """How long a jump of a height takes."""
    return float(2 * np.sqrt(2 * height_m / GRAVITY))


def jumper(rate: float, height_m: float) -> BodyMotion:
    """Crouches, flies, crouches, stands; feet stay on the floor before and after."""
    rest, time_s = people.body().rest_joints(np.zeros(10)), np.arange(0, 5.5, 1 / rate)
    rise, bend = np.zeros(len(time_s)), np.zeros(len(time_s))
    for start in TAKE_OFF_S:
        into = time_s - start
        rise += (GRAVITY / 2 * into * (air_s(height_m) - into)).clip(min=0)
        bend += _crouch(into + _CROUCH_S) + _crouch(into - air_s(height_m) - _CROUCH_S)
    rotations = np.zeros((len(time_s), 55, 4))
    rotations[..., 0] = 1
    for joint, factor in ((LEFT_HIP, -1), (LEFT_KNEE, 2), (LEFT_ANKLE, -1)):
        turn = np.outer(0.9 * factor * bend, [1.0, 0.0, 0.0])
        rotations[:, joint] = rotations[:, joint + 1] = axis_angle_to_quaternion(turn)
    hanging = BodyMotion.make(time_s, rotations, np.tile(rest[PELVIS], (len(time_s), 1)), rest)
    foot = hanging.joints()[:, LEFT_FOOT]
    return BodyMotion.make(time_s, rotations, hanging.pelvis + foot[0] - foot + rise[:, None] * UP, rest)


def heights(motion: BodyMotion, height_m: float) -> list[float]:
    """How high the center of mass goes in each jump over where it stands before, meters."""
    level = centre_of_mass(motion.joints()) @ UP
    found = []
    for start in TAKE_OFF_S:
        top = np.abs(motion.time_s - start - air_s(height_m) / 2) < 0.1
        stands = np.abs(motion.time_s - start + 0.6) < 0.15
        found.append(float(level[top].max() - np.median(level[stands])))
    return found


def _crouch(away_s: np.ndarray) -> np.ndarray:
    return np.where(np.abs(away_s) < _CROUCH_S, np.cos(away_s / _CROUCH_S * np.pi / 2) ** 2, 0.0)
