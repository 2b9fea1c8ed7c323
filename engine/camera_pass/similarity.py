# SPDX-License-Identifier: GPL-3.0-or-later
"""How much larger one path is than another that it follows."""

from __future__ import annotations

import numpy as np

_STILL_M = 1e-3


def path_scale(path: np.ndarray, reference: np.ndarray) -> float | None:
    """The factor that brings the (N, 4, 4) poses of a path onto those of a reference, whatever turn and shift fit best
    (Umeyama's least squares); None where either hardly moves."""
    here, there = path[:, :3, 3], reference[:, :3, 3]
    here, there = here - here.mean(axis=0), there - there.mean(axis=0)
    spread = float((here**2).sum())
    if spread <= 0 or np.sqrt((there**2).sum(axis=1).mean()) < _STILL_M:
        return None
    left, singular, right = np.linalg.svd(there.T @ here)
    singular[2] *= np.sign(np.linalg.det(left @ right)) or 1.0
    scale = float(singular.sum()) / spread
    return scale if scale > 0 else None
