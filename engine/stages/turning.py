# SPDX-License-Identifier: GPL-3.0-or-later
"""How a camera has turned on the spot, from where the same points of the place are seen before and after.

Points are the directions (bearings) in which they are seen: a turn moves near and far ones alike, so no depth is
needed. What is left over is parallax, and tells that the camera did not only turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .place_adjustment import project, rays

ROUNDS = 10
"""Of weighing points by how far off they are."""

_NEAR_PX = 0.2
"""Points this near to where the turn puts them all weigh the same."""


@dataclass(frozen=True)
class Turn:
    """A turn of the camera, and how well it explains N points."""

    second_from_first: np.ndarray
    """(3, 3) rotation of directions in the first picture's camera to those in the second's."""
    off_px: np.ndarray
    """(N,) how far points are from where the turn puts them in the second picture, pixels."""


def bearings(pixel: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """(N, 3) unit directions in the camera frame of (N, 2) pixels of a (3, 3) pinhole."""
    ray = rays(pixel, camera)
    return ray / np.linalg.norm(ray, axis=-1, keepdims=True)


def turn_between(first: np.ndarray, second: np.ndarray, camera: np.ndarray) -> Turn:
    """The turn that takes most of (N, 2) pixels of the first picture to those of the second, 3 or more of them.

    Kabsch on bearings, weighted so that the sum of distances is least: up to almost half of the points may go their own
    way. `camera` (3, 3) is the pinhole of both pictures.
    """
    before, after = bearings(first, camera), bearings(second, camera)
    weight = np.ones(len(first))
    for _ in range(ROUNDS):
        left, _, right = np.linalg.svd((after * weight[:, None]).T @ before)
        rotation = left @ np.diag((1.0, 1.0, np.linalg.det(left @ right))) @ right
        off = np.linalg.norm(turned(first, rotation, camera) - second, axis=-1)
        weight = 1 / np.maximum(np.where(np.isfinite(off), off, np.inf), _NEAR_PX)
    return Turn(rotation, off)


def turned(pixel: np.ndarray, second_from_first: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """(N, 2) where points at (N, 2) pixels of a picture are after a turn (3, 3); meaningless behind the camera."""
    return project(bearings(pixel, camera) @ second_from_first.T, camera)
