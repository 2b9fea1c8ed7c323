# SPDX-License-Identifier: GPL-3.0-or-later
"""Global human motion: how well people move through the world (paper section 4, EMDB-2 and RICH).

All points are metres in a world frame, one person over N frames. Prediction and truth may use different worlds.
"""

from __future__ import annotations

import numpy as np

from .alignment import fit_rigid, fit_similarity

SEGMENT_FRAMES = 100
"""Frames of the segments that are aligned and measured by themselves; the last one keeps what is left."""

ALIGNED_FRAMES = 2
"""W-MPJPE fits its similarity on so many first frames of a segment."""

STILL_M = 0.01
"""A vertex stands when its ground truth moves less than this from one frame to the next."""


def w_mpjpe_mm(prediction: np.ndarray, truth: np.ndarray, segment: int = SEGMENT_FRAMES) -> np.ndarray:
    """World joint error after a similarity fit on the first two frames of each segment: (N, J, 3) each to (N,) mm."""
    return _segment_errors_mm(prediction, truth, segment, ALIGNED_FRAMES)


def wa_mpjpe_mm(prediction: np.ndarray, truth: np.ndarray, segment: int = SEGMENT_FRAMES) -> np.ndarray:
    """World joint error after a similarity fit on all of each segment: (N, J, 3) each to (N,) mm."""
    return _segment_errors_mm(prediction, truth, segment, segment)


def rte_percent(prediction: np.ndarray, truth: np.ndarray, with_scale: bool = False) -> np.ndarray:
    """Root trajectory error after a rigid fit over the whole sequence, over the true path's length: (N,) percent.

    `prediction` and `truth` are (N, 3) root positions; `with_scale` fits a similarity instead. The published RTE is
    the mean over frames of the rigid one. Raises ValueError where the true root never moves.
    """
    truth = np.asarray(truth, dtype=np.float64)
    length = path_length(truth)
    if not length > 0:
        raise ValueError("the true root does not move: there is no path to divide by")
    fit = (fit_similarity if with_scale else fit_rigid)(prediction, truth)
    return 100.0 * np.linalg.norm(fit.apply(prediction) - truth, axis=-1) / length


def jitter_10m_per_s3(joints: np.ndarray, frame_rate: float) -> np.ndarray:
    """Third difference of (N, J, 3) joints times frame rate cubed, mean over joints: (N - 3,) in 10 m/s^3."""
    jerk = np.diff(np.asarray(joints, dtype=np.float64), n=3, axis=0) * frame_rate**3
    return np.linalg.norm(jerk, axis=-1).mean(axis=-1) / 10.0


def foot_sliding_mm(prediction_vertices: np.ndarray, truth_vertices: np.ndarray) -> np.ndarray:
    """How far predicted sole vertices move from frame to frame while the true ones stand.

    (N, K, 3) each, the same K vertices, to one value in millimetres for each step and vertex whose truth moves less
    than a centimetre, in order of frames.
    """
    steps = [
        np.linalg.norm(np.diff(np.asarray(points, dtype=np.float64), axis=0), axis=-1)
        for points in (prediction_vertices, truth_vertices)
    ]
    return 1000.0 * steps[0][steps[1] < STILL_M]


def path_length(positions: np.ndarray) -> float:
    """Length in metres of the path through (N, 3) positions."""
    return float(np.linalg.norm(np.diff(np.asarray(positions, dtype=np.float64), axis=0), axis=-1).sum())


def _segment_errors_mm(prediction: np.ndarray, truth: np.ndarray, segment: int, fitted: int) -> np.ndarray:
    prediction, truth = np.asarray(prediction, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    errors = []
    for start in range(0, len(truth), segment):
        ours, true = prediction[start : start + segment], truth[start : start + segment]
        fit = fit_similarity(ours[:fitted].reshape(-1, 3), true[:fitted].reshape(-1, 3))
        errors.append(1000.0 * np.linalg.norm(fit.apply(ours) - true, axis=-1).mean(axis=-1))
    return np.concatenate(errors) if errors else np.empty(0)
