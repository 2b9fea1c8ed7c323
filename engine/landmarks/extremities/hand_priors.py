# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of hands before one is seen: a relaxed hand, how far joints turn, what goes together.

Angles in radians, in the order of `hand_skeleton`: thumb (three of its base, two hinges), then for index, middle, ring
and little finger the knuckle's bend and spread and the two hinges after it.
"""

from __future__ import annotations

import numpy as np

from .hand_skeleton import ANGLE_COUNT, BEND, END, MIDDLE


def _angles(thumb: tuple[float, ...], *fingers: tuple[float, ...]) -> np.ndarray:
    """Degrees of the thumb and of one or four fingers."""
    fingers = fingers * (4 // len(fingers))
    return np.radians(np.concatenate([thumb, *fingers]))


RELAXED = _angles((0, 0, 0, 10, 10), (18, 0, 22, 10), (24, 0, 28, 12), (28, 0, 32, 14), (30, 0, 34, 16))
"""(21,) a hand that hangs: fingers curl more and more towards the little finger."""

SPREAD_OF_PRIOR = _angles((25, 22, 22, 22, 35), (45, 9, 50, 20))
"""(21,) standard deviations round it."""

LOWEST = _angles((-50, -50, -50, -15, -25), (-25, -20, 0, -5))
HIGHEST = _angles((50, 50, 50, 65, 80), (95, 20, 112, 80))
"""(21,) what joints can do."""

WRIST_SPREAD = np.radians([55.0, 22.0, 45.0])
"""(3,) of the wrist against the forearm as the body fit left it: the roll (x), side to side (y), up and down (z)."""
WRIST_LIMIT = np.radians([85.0, 35.0, 75.0])

_LAST_OF_MIDDLE = 0.6
"""The last joint of a finger bends with the one before it: one tendon pulls both."""
_LAST_SIGMA, _NEIGHBOUR_SIGMA = np.radians(12.0), np.radians(35.0)


def _differences() -> np.ndarray:
    rows = np.zeros((7, ANGLE_COUNT))
    rows[np.arange(4), END] = 1.0 / _LAST_SIGMA
    rows[np.arange(4), MIDDLE] = -_LAST_OF_MIDDLE / _LAST_SIGMA
    rows[np.arange(4, 7), BEND[:3]] = 1.0 / _NEIGHBOUR_SIGMA
    rows[np.arange(4, 7), BEND[1:]] = -1.0 / _NEIGHBOUR_SIGMA
    return rows


DIFFERENCES = _differences()
"""(7, 21) sums of angles that are about zero, in standard deviations."""
