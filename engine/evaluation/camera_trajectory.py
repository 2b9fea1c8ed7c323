# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera trajectory: how well the camera's path is recovered (paper section 4, TUM-dynamics).

Poses are (N, 4, 4) `world_from_camera`, metres; prediction and truth may use different worlds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .alignment import Similarity, fit_rigid, fit_similarity
from .local_body import rotation_error_deg


@dataclass(frozen=True)
class RelativePoseErrors:
    """Errors of the motion between frames that lie `step` apart, one per pair."""

    translation_m: np.ndarray
    """(N - step,)"""
    rotation_deg: np.ndarray
    """(N - step,)"""


def absolute_trajectory_errors(prediction: np.ndarray, truth: np.ndarray, with_scale: bool = True) -> np.ndarray:
    """Distance of each camera centre from the true one after one fit over the sequence: (N,) metres.

    The fit is Sim(3), or rigid without scale. The published ATE is the root mean square of the former.
    """
    fit = _fit_centres(prediction, truth, with_scale)
    return np.linalg.norm(fit.apply(_centres(prediction)) - _centres(truth), axis=-1)


def relative_pose_errors(
    prediction: np.ndarray, truth: np.ndarray, step: int = 1, with_scale: bool = True
) -> RelativePoseErrors:
    """Errors of the relative motions over `step` frames: `(Q_i^-1 Q_j)^-1 (P_i^-1 P_j)` with Q true and P predicted.

    P is scaled by the Sim(3) fit of the whole path first (`with_scale`). The usual figures are the root mean squares.
    """
    if not 1 <= step < len(truth):
        raise ValueError(f"a step of {step} needs more than {len(truth)} poses")
    prediction = np.array(prediction, dtype=np.float64)
    prediction[:, :3, 3] *= _fit_centres(prediction, truth, with_scale).scale
    motions = [
        np.linalg.inv(poses[:-step]) @ poses[step:] for poses in (np.asarray(truth, dtype=np.float64), prediction)
    ]
    error = np.linalg.inv(motions[0]) @ motions[1]
    angles = rotation_error_deg(motions[1][:, :3, :3], motions[0][:, :3, :3])
    return RelativePoseErrors(np.linalg.norm(error[:, :3, 3], axis=-1), angles)


def root_mean_square(errors: np.ndarray) -> float:
    """The root of the mean of the squares."""
    return float(np.sqrt(np.mean(np.square(errors))))


def _centres(poses: np.ndarray) -> np.ndarray:
    return np.asarray(poses, dtype=np.float64)[:, :3, 3]


def _fit_centres(prediction: np.ndarray, truth: np.ndarray, with_scale: bool) -> Similarity:
    return (fit_similarity if with_scale else fit_rigid)(_centres(prediction), _centres(truth))
