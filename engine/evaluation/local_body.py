# SPDX-License-Identifier: GPL-3.0-or-later
"""Local human mesh: how well pose and shape fit in each frame by itself (paper section 4, 3DPW and EMDB-1).

Points are metres in the camera frame; errors are millimetres, one per frame and person: average them over all.
`hips` names the two hip joints among the compared ones, the mean of which is the pelvis that predictions are moved to.
"""

from __future__ import annotations

import numpy as np

from .alignment import fit_similarity

SMPL_HIPS = (1, 2)
"""The hips among SMPL's 24 joints, and among SMPL-X's 55."""


def mpjpe_mm(prediction: np.ndarray, truth: np.ndarray, hips: tuple[int, int] = SMPL_HIPS) -> np.ndarray:
    """Mean per-joint position error after moving the pelvis to the origin: (..., J, 3) each to (...)."""
    return _mean_distance_mm(prediction - pelvis(prediction, hips), truth - pelvis(truth, hips))


def pa_mpjpe_mm(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean point error after the similarity (Procrustes) fit of each frame: (..., J, 3) each to (...).

    Of vertices it gives PA-PVE.
    """
    return _mean_distance_mm(fit_similarity(prediction, truth).apply(prediction), truth)


def pve_mm(
    prediction_vertices: np.ndarray,
    truth_vertices: np.ndarray,
    prediction_joints: np.ndarray,
    truth_joints: np.ndarray,
    hips: tuple[int, int] = SMPL_HIPS,
) -> np.ndarray:
    """Mean per-vertex error after moving the pelvis of each body's own joints to the origin: (..., V, 3) to (...)."""
    return _mean_distance_mm(
        prediction_vertices - pelvis(prediction_joints, hips), truth_vertices - pelvis(truth_joints, hips)
    )


def pelvis(joints: np.ndarray, hips: tuple[int, int] = SMPL_HIPS) -> np.ndarray:
    """The mean of the two hips of (..., J, 3) joints, as (..., 1, 3)."""
    return np.asarray(joints, dtype=np.float64)[..., list(hips), :].mean(axis=-2, keepdims=True)


def rotation_error_deg(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Angle between rotations, (..., 3, 3) each to (...) degrees in 0..180."""
    relative = np.swapaxes(np.asarray(prediction, dtype=np.float64), -1, -2) @ truth
    # The arc tangent of both keeps its precision at 0 and at 180 degrees, where the arc cosine loses half the digits.
    axis = np.stack(
        [
            relative[..., 2, 1] - relative[..., 1, 2],
            relative[..., 0, 2] - relative[..., 2, 0],
            relative[..., 1, 0] - relative[..., 0, 1],
        ],
        axis=-1,
    )
    trace = np.trace(relative, axis1=-2, axis2=-1)
    return np.degrees(np.arctan2(np.linalg.norm(axis, axis=-1), trace - 1.0))


def _mean_distance_mm(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    difference = np.asarray(prediction, dtype=np.float64) - np.asarray(truth, dtype=np.float64)
    return 1000.0 * np.linalg.norm(difference, axis=-1).mean(axis=-1)
