# SPDX-License-Identifier: GPL-3.0-or-later
"""Flat patches in a cloud of points: where they are and which way they face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CELL_M = 0.35
"""Edge of the cells that points are gathered in."""
MOST_POINTS = 60_000
"""Larger clouds are thinned evenly before."""

_LEAST_POINTS = 10
_FLATNESS = 0.25
"""Thickness over the smaller extent, as standard deviations: patches that are thicker are no surface."""


@dataclass(frozen=True)
class Patches:
    """K flat patches."""

    center: np.ndarray
    """(K, 3) meters."""
    normal: np.ndarray
    """(K, 3) unit vectors; their sign means nothing."""
    weight: np.ndarray
    """(K,) how flat, 0 to 1."""


def thinned(points: np.ndarray) -> np.ndarray:
    """At most twice `MOST_POINTS` of (N, 3) points."""
    return points[:: max(1, len(points) // MOST_POINTS)]


def find_patches(points: np.ndarray) -> Patches:
    """The flat cells of (N, 3) points in meters."""
    points = thinned(points)
    if len(points) < _LEAST_POINTS:
        return Patches(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
    _, cell = np.unique(np.floor(points / CELL_M).astype(np.int64), axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    count = np.bincount(cell)
    center = np.stack([np.bincount(cell, weights=axis) for axis in points.T], axis=-1) / count[:, None]
    offset = points - center[cell]
    spread = np.empty((len(count), 3, 3))
    for row in range(3):
        for column in range(row, 3):
            moments = np.bincount(cell, weights=offset[:, row] * offset[:, column]) / count
            spread[:, row, column] = spread[:, column, row] = moments
    extent, axes = np.linalg.eigh(spread)
    extent = np.sqrt(extent.clip(min=0))
    thickness = extent[:, 0] / np.maximum(extent[:, 1], 1e-9)
    # A line of points is thin as well, but faces nowhere.
    flat = (count >= _LEAST_POINTS) & (thickness < _FLATNESS) & (extent[:, 1] > 0.15 * CELL_M)
    return Patches(center[flat], axes[flat, :, 0], 1 - thickness[flat] / _FLATNESS)
