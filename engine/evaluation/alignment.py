# SPDX-License-Identifier: GPL-3.0-or-later
"""Procrustes fits: the similarity or rigid motion that brings one set of points onto another with the least squares.

Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Similarity:
    """`x -> scale * rotation @ x + translation`, over any leading batch shape."""

    scale: np.ndarray
    """(...)"""
    rotation: np.ndarray
    """(..., 3, 3), proper."""
    translation: np.ndarray
    """(..., 3)"""

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Move (..., N, 3) points, or (..., M, N, 3) where the fit was over M sets of N points at once."""
        points = np.asarray(points, dtype=np.float64)
        extra = (1,) * (points.ndim - 1 - self.scale.ndim)
        batch = self.scale.shape
        turned = points @ np.swapaxes(self.rotation, -1, -2).reshape(*batch, *extra[1:], 3, 3)
        return self.scale.reshape(*batch, *extra, 1) * turned + self.translation.reshape(*batch, *extra, 3)


def fit_similarity(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The similarity that brings (..., N, 3) `source` onto `target` with the least sum of squared distances.

    Where all source points coincide no scale can be told: it is 1, and the fit is a translation.
    """
    return _fit(source, target, with_scale=True)


def fit_rigid(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The rotation and translation (scale 1) that bring (..., N, 3) `source` onto `target`, in least squares."""
    return _fit(source, target, with_scale=False)


def _fit(source: np.ndarray, target: np.ndarray, with_scale: bool) -> Similarity:
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if source.shape != target.shape or source.ndim < 2 or source.shape[-1] != 3 or source.shape[-2] < 1:
        raise ValueError(f"expected two equal shapes (..., N, 3), got {source.shape} and {target.shape}")
    source_mean, target_mean = source.mean(axis=-2), target.mean(axis=-2)
    centred = source - source_mean[..., None, :]
    covariance = np.swapaxes(target - target_mean[..., None, :], -1, -2) @ centred
    left, singular, right = np.linalg.svd(covariance)
    signs = np.ones_like(singular)
    # A reflection would fit better where the determinant is negative: give up the least direction instead.
    signs[..., 2] = np.where(np.linalg.det(left @ right) < 0, -1.0, 1.0)
    rotation = (left * signs[..., None, :]) @ right
    scale = np.ones(singular.shape[:-1])
    if with_scale:
        spread = np.sum(centred**2, axis=(-1, -2))
        known = spread > 0
        scale = np.where(known, np.sum(singular * signs, axis=-1) / np.where(known, spread, 1.0), 1.0)
    translation = target_mean - scale[..., None] * (rotation @ source_mean[..., None])[..., 0]
    return Similarity(scale, rotation, translation)
