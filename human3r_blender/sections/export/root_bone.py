# SPDX-License-Identifier: GPL-3.0-or-later
"""Root motion: a bone on the floor carries the way and the heading, the pelvis the rest."""

from __future__ import annotations

import numpy as np

from ....engine.contract.rotations import (
    axis_angle_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_to_matrix,
)
from ....engine.motion.root_motion import headings

_UP = np.array([0.0, 1.0, 0.0])


def carried_by_root(turns: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split a pelvis's (T, 4) rotations and (T, 3) places, y up, into those of a root on the floor and the pelvis's own
    relative to it.

    Returns (T, 4) rotations and (T, 3) places of the root, and the same of the pelvis under it.
    """
    root_turns = axis_angle_to_quaternion(headings(turns, _UP)[:, None] * _UP)
    root_places = places * (1.0 - _UP)
    back = quaternion_conjugate(root_turns)
    relative = np.einsum("tij,tj->ti", quaternion_to_matrix(back), places - root_places)
    return root_turns, root_places, quaternion_multiply(back, turns), relative
