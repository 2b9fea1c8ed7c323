# SPDX-License-Identifier: GPL-3.0-or-later
"""Where and how long people's feet stand: one place each time that a foot is put down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..contract.skeleton import LEFT_FOOT
from .body_motion import BodyMotion
from .contacts import CONTACT_JOINTS, find_contacts, runs
from .standing_levels import BALL_ABOVE_SOLE_M

_BALLS = CONTACT_JOINTS.index(LEFT_FOOT)
"""From here on `CONTACT_JOINTS` has the balls of the feet: one of them is down whenever a heel is."""


@dataclass(frozen=True)
class StandingFeet:
    """K times that a foot stands, of any people and on any levels."""

    place: np.ndarray
    """(K, 3) middle of the sole under the ball of the foot, meters, in the motions' world."""
    seconds: np.ndarray
    """(K,) how long; where both feet of a person stand, each has half of the time."""
    person: np.ndarray
    """(K,) whose foot: the number of the motion."""


def find_standing_feet(motions: Iterable[BodyMotion], up: np.ndarray) -> StandingFeet:
    """When feet stand, by :func:`.contacts.find_contacts`; `up` (3,) is a unit vector, and need not be exact."""
    rows: list[tuple[np.ndarray, float, int]] = []
    for person, motion in enumerate(motions):
        planted = find_contacts(motion, up)[:, _BALLS:]
        soles = motion.joints()[:, list(CONTACT_JOINTS[_BALLS:])] - BALL_ABOVE_SOLE_M * up
        share = motion.step_s / np.maximum(planted.sum(axis=1), 1)
        for foot in range(planted.shape[1]):
            for run in runs(planted[:, foot]):
                rows.append((np.median(soles[run, foot], axis=0), float(share[run].sum()), person))
    places = np.array([place for place, _, _ in rows], dtype=np.float64).reshape(-1, 3)
    return StandingFeet(places, np.array([row[1] for row in rows]), np.array([row[2] for row in rows], dtype=np.int64))
