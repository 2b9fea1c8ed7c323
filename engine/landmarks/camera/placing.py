# SPDX-License-Identifier: GPL-3.0-or-later
"""Where landmarks lie in the camera frame for a focal length, before any body is fitted.

The networks give every landmark in the picture and, in metres, round the hips as a camera sees it that looks straight
at the person. A focal length says which way that camera looked, and how far away the person must be for both to agree.
All functions work on any number of people at once; n people, K landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..turns import turns_to

LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 11, 12, 23, 24
LEFT_KNEE, RIGHT_KNEE, LEFT_ANKLE, RIGHT_ANKLE = 25, 26, 27, 28

PLACED = np.array((0, 2, 5, 7, 8, *range(11, 17), *range(23, 33)))
"""Landmarks that tell where a body is: not fingers, nor those that nothing uses."""

OUTSIDE_WEIGHT = 0.05
"""What a landmark outside the picture counts: the network only guesses it."""

_LEAST_VISIBILITY = 0.02
_NEAREST_M = 0.3
_ROUNDS = 4
"""Re-weighted least squares: enough for outliers to lose their pull."""


@dataclass(frozen=True)
class Placed:
    """Landmarks of n people in the camera frame."""

    point: np.ndarray
    """(n, 33, 3) metres."""
    error_px: np.ndarray
    """(n, len(PLACED)) distance of the projected from the seen landmarks."""


def weights(visibility: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n, 33) what each landmark counts, of (n, 33 or more) visibility and bool inside."""
    seen = np.asarray(visibility[:, :33], dtype=np.float64).clip(_LEAST_VISIBILITY, 1.0)
    return seen * np.where(inside[:, :33], 1.0, OUTSIDE_WEIGHT)


def sizes_px(point_px: np.ndarray) -> np.ndarray:
    """(n,) size of each person in the picture: the root of the area of the landmarks' box."""
    return np.sqrt(np.ptp(np.asarray(point_px, dtype=np.float64)[:, PLACED], axis=1).prod(axis=-1) + 1.0)


def place_landmarks(
    point_px: np.ndarray,
    world: np.ndarray,
    weight: np.ndarray,
    focal_px: float | np.ndarray,
    principal_point_px: np.ndarray,
) -> Placed:
    """Turn the (n, 33 or more, 3) world landmarks on to their rays and put them where the picture shows them.

    The shift is linear once the focal length is known: `x + t_x = u (z + t_z)` for each landmark's slope u, solved by
    robust least squares. `point_px` (n, 33 or more, 2); `weight` (n, 33); `focal_px` one for all, or (n,).
    """
    focal = np.broadcast_to(np.asarray(focal_px, dtype=np.float64), (len(point_px),))
    slope = (np.asarray(point_px[:, :33], dtype=np.float64) - principal_point_px) / focal[:, None, None]
    ray = np.concatenate([slope[:, LEFT_HIP : LEFT_HIP + 2].mean(axis=1), np.ones((len(slope), 1))], axis=-1)
    local = np.einsum("nij,nkj->nki", turns_to(ray), np.asarray(world[:, :33], dtype=np.float64))
    shift, error = _shift(local[:, PLACED], slope[:, PLACED], weight[:, PLACED])
    return Placed(local + shift[:, None], error * focal[:, None])


def _shift(local: np.ndarray, slope: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) shifts and (n, K) what is left, as slopes."""
    rows = np.zeros((*slope.shape, 3))
    rows[..., 0, 0] = rows[..., 1, 1] = 1.0
    rows[..., 2] = -slope
    aim = slope * local[..., 2:] - local[..., :2]
    trust = weight
    for _ in range(_ROUNDS):
        normal = np.einsum("nkia,nkib,nk->nab", rows, rows, trust) + 1e-9 * np.eye(3)
        shift = np.linalg.solve(normal, np.einsum("nkia,nki,nk->na", rows, aim, trust)[..., None])[..., 0]
        point = local + shift[:, None]
        off = point[..., :2] / np.maximum(point[..., 2:], _NEAREST_M) - slope
        error = np.linalg.norm(off, axis=-1)
        scale = 3.0 * np.median(error, axis=1, keepdims=True) + 1e-9
        trust = weight / (1.0 + (error / scale) ** 2)
    return shift, error
