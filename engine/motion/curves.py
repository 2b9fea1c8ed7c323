# SPDX-License-Identifier: GPL-3.0-or-later
"""Cubic curves between two frames, for positions and, in the tangent space of the first frame, for rotations."""

from __future__ import annotations

import numpy as np

from ..contract.rotations import quaternion_conjugate, quaternion_multiply, quaternion_to_axis_angle


def turn_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(..., 3) the turn from (..., 4) quaternions to others, as rotation vectors in the first one's frame."""
    return quaternion_to_axis_angle(quaternion_multiply(quaternion_conjugate(first), second))


def hermite(
    share: np.ndarray, start: np.ndarray, leaving: np.ndarray, end: np.ndarray, arriving: np.ndarray
) -> np.ndarray:
    """The cubic from `start` to `end` with these end slopes per unit of `share`, at shares of the way from 0 to 1.

    All shapes broadcast.
    """
    s = share
    return (
        (1 + 2 * s) * (1 - s) ** 2 * start
        + s * (1 - s) ** 2 * leaving
        + s**2 * (3 - 2 * s) * end
        + s**2 * (s - 1) * arriving
    )
