# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor among points of the surroundings: the lowest plane that enough of them lie on."""

from __future__ import annotations

import numpy as np

_LEAST_POINTS = 30
"""Below the camera."""
_TRIES, _LEVELS = 400, 200
_THICKNESS, _BELOW = 0.012, 0.04
"""How far points of a plane may be off it, and from where they count as below it: shares of their distance."""
_LEAST_SUPPORT, _LEAST_SUPPORT_SHARE, _MOST_BELOW_SHARE = 15, 0.06, 0.05
_MOST_TRIED = 1500
_REFINEMENTS = 3


def lowest_plane(
    points: np.ndarray, centers: np.ndarray, up: np.ndarray, within_deg: float
) -> tuple[np.ndarray, float] | None:
    """The plane ``up . p == level`` (up, level) of (P, 3) points that has the most of them, next to nothing being
    below; None where there is none. Not simply the largest plane: those are tabletops.

    `centers` (N, 3) are those of the cameras, which are above it; its normal is within some degrees of `up`.
    """
    middle = centers.mean(axis=0)
    points = points - middle
    points = points[points @ up < 0]
    if len(points) < _LEAST_POINTS:
        return None
    points = points[:: -(-len(points) // _MOST_TRIED)]
    distance = np.linalg.norm(points, axis=1)
    normals, levels = _candidates(points, up, within_deg)
    height = points @ normals.T - levels
    support = (np.abs(height) < _THICKNESS * distance[:, None]).sum(axis=0)
    under = (height < -_BELOW * distance[:, None]).sum(axis=0)
    able = (support >= max(_LEAST_SUPPORT, _LEAST_SUPPORT_SHARE * len(points))) & (
        under <= _MOST_BELOW_SHARE * len(points)
    )
    if not able.any():
        return None
    best = int(np.where(able, support, -1).argmax())
    normal, level = _fitted(points, distance, normals[best], float(levels[best]))
    if normal @ up < np.cos(np.radians(within_deg)):
        normal, level = normals[best], float(levels[best])
    return normal, float(level + middle @ normal)


def _candidates(points: np.ndarray, up: np.ndarray, within_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """(C, 3) normals and (C,) levels: planes across `up`, and those through three points that are nearly so."""
    random = np.random.default_rng(0)
    corner, first, last = (points[random.integers(len(points), size=_TRIES)] for _ in range(3))
    normal = np.cross(first - corner, last - corner)
    length = np.linalg.norm(normal, axis=1)
    normal /= np.maximum(length, 1e-12)[:, None]
    normal *= np.where(normal @ up < 0, -1.0, 1.0)[:, None]
    kept = (length > 1e-9) & (normal @ up > np.cos(np.radians(within_deg)))
    level = np.quantile(points @ up, np.linspace(0.02, 0.98, _LEVELS))
    normals = np.concatenate([normal[kept], np.tile(up, (_LEVELS, 1))])
    return normals, np.concatenate([(normal * corner).sum(axis=1)[kept], level])


def _fitted(points: np.ndarray, distance: np.ndarray, normal: np.ndarray, level: float) -> tuple[np.ndarray, float]:
    """The plane through those points that support it; far ones are less sure."""
    for _ in range(_REFINEMENTS):
        near = np.abs(points @ normal - level) < _THICKNESS * distance
        weight = distance[near] ** -2
        middle = weight @ points[near] / weight.sum()
        offset = (points[near] - middle) * np.sqrt(weight)[:, None]
        turned = np.linalg.eigh(offset.T @ offset)[1][:, 0]
        normal = turned * (1.0 if turned @ normal > 0 else -1.0)
        level = float(normal @ middle)
    return normal, level
