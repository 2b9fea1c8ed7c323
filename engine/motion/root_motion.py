# SPDX-License-Identifier: GPL-3.0-or-later
"""A body's way over the floor and the direction it faces, apart from the rest of its motion.

Game engines call this root motion: a bone on the floor carries it, and the hips move only relative to that bone. The
heading is the twist of the hips' rotation about the vertical (swing-twist decomposition), which a body that lies or
bows has as well. A body upside down has none: there it is interpolated.
"""

from __future__ import annotations

import numpy as np

_LEAST_UPRIGHT = 0.25
"""Below this length of the twist's quaternion part, where 1 is upright and 0 upside down, the heading says nothing."""


def headings(turns: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(T,) radians about `up` (3,), continuous over time, that a body faces whose hips have (T, 4) world rotations.

    Quaternions w first, from a rest pose that stands upright; 0 is the way that it faces there.
    """
    half = np.stack([turns[:, 0], turns[:, 1:] @ up], axis=-1)
    known = np.flatnonzero(np.hypot(half[:, 0], half[:, 1]) > _LEAST_UPRIGHT)
    if not len(known):
        return np.zeros(len(turns))
    # q and -q are one rotation: half angles are known up to half a turn
    angles = np.unwrap(2 * np.arctan2(half[known, 1], half[known, 0]))
    return np.interp(np.arange(len(turns)), known, angles)
