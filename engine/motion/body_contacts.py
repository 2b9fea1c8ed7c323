# SPDX-License-Identifier: GPL-3.0-or-later
"""When knees, hands, seat or back rest on something: kneeling, crawling, sitting and lying, where feet tell little."""

from __future__ import annotations

import numpy as np

from ..contract.skeleton import (
    LEFT_ANKLE,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_WRIST,
    PELVIS,
    RIGHT_KNEE,
    RIGHT_WRIST,
    SPINE3,
)
from .body_motion import BodyMotion
from .contacts import CONTACT_JOINTS, ContactSettings, cheapest_sequences, lowest_near, speed_limit
from .local_fit import LocalFit

BODY_JOINTS = (LEFT_KNEE, RIGHT_KNEE, LEFT_WRIST, RIGHT_WRIST, PELVIS, SPINE3)
"""The joints inside what may rest besides feet: knees, hands, seat, back."""

_RESTING_M = np.array([0.12, 0.12, 0.12, 0.12, 0.55, 0.3])
"""How high above the feet each of them is at most while it rests on the floor; the pelvis, on a seat."""

_LEGS_M = 0.8
"""Length of the legs that these heights are for; a child's are in proportion."""


def find_body_contacts(motion: BodyMotion, up: np.ndarray, settings: ContactSettings | None = None) -> np.ndarray:
    """(T, 6) bool, whether each of `BODY_JOINTS` rests; `up` (3,) is the unit vector away from the floor."""
    settings = settings or ContactSettings()
    resting = np.zeros((len(motion), len(BODY_JOINTS)), dtype=bool)
    joints = motion.joints()
    size = _legs(motion.rest_joints) / _LEGS_M
    for frames in motion.stretches():
        time_s = motion.time_s[frames]
        if len(time_s) < 3:
            continue
        fit = LocalFit(time_s, settings.window_s)
        points, feet = (fit.apply(joints[frames][:, list(which)]) for which in (BODY_JOINTS, CONTACT_JOINTS))
        floor = lowest_near(feet @ up, time_s, settings.floor_window_s).min(axis=1)
        above = (points @ up - floor[:, None] - size * _RESTING_M).clip(min=0)
        speed = np.linalg.norm(np.gradient(points, time_s, axis=0), axis=-1)
        limit = speed_limit(speed, settings)
        resting[frames] = cheapest_sequences((speed / limit) ** 2 + (above / settings.height_m) ** 2, motion, settings)
    return resting


def _legs(rest_joints: np.ndarray) -> float:
    """Length of thigh and shin, meters."""
    chain = rest_joints[[LEFT_HIP, LEFT_KNEE, LEFT_ANKLE]]
    return float(np.linalg.norm(np.diff(chain, axis=0), axis=-1).sum())
