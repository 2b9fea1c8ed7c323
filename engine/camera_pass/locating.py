# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a camera is, from points that are known: Gauss-Newton from a guess, in rounds that drop outliers."""

from __future__ import annotations

import numpy as np

from ..contract.rotations import axis_angle_to_matrix
from .bundle import HUBER

LEAST_POINTS = 8

_ROUNDS = ((4.0, 24.0, 5), (1.0, 6.0, 4), (0.5, 2.0, 4))
"""Sigma and gate in pixels, and steps."""
_LEAST_DEPTH = 1e-2
_DAMPING = 1e-6
_LEAST_SHARE = 0.3
"""Of the points, that have to agree in the end."""


def located(guess: np.ndarray, points: np.ndarray, pixel: np.ndarray, focal: float) -> np.ndarray | None:
    """The (4, 4) `camera_from_world` that sees (n, 3) points at (n, 2) centered pixels, from a guess that is off by a
    few dozens of pixels at most; None where too few points agree on one."""
    pose = np.array(guess, np.float64)
    for sigma, gate, steps in _ROUNDS:
        for _ in range(steps):
            inside = points @ pose[:3, :3].T + pose[:3, 3]
            depth = np.maximum(inside[:, 2], _LEAST_DEPTH)
            plain = inside[:, :2] / depth[:, None]
            off = plain * focal - pixel
            length = np.linalg.norm(off, axis=1)
            weight = HUBER / np.maximum(length / sigma, HUBER)
            weight[(inside[:, 2] <= _LEAST_DEPTH) | (length > gate)] = 0.0
            if np.count_nonzero(weight) < LEAST_POINTS:
                return None
            by_place = np.zeros((len(points), 2, 3))
            by_place[:, 0, 0] = by_place[:, 1, 1] = focal / depth
            by_place[:, :, 2] = -plain * focal / depth[:, None]
            turned = inside - pose[:3, 3]
            slopes = np.concatenate([np.cross(turned[:, None], by_place), by_place], axis=2).reshape(-1, 6)
            weighted = slopes * np.repeat(weight, 2)[:, None]
            matrix = weighted.T @ slopes
            matrix[np.diag_indices(6)] *= 1 + _DAMPING
            step = np.linalg.lstsq(matrix, -weighted.T @ off.reshape(-1), rcond=None)[0]
            pose[:3, :3] = axis_angle_to_matrix(step[:3]) @ pose[:3, :3]
            pose[:3, 3] += step[3:]
    agree = np.count_nonzero(weight)
    return pose if agree >= max(LEAST_POINTS, _LEAST_SHARE * len(points)) and np.isfinite(pose).all() else None
