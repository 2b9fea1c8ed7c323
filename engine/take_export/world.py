# SPDX-License-Identifier: GPL-3.0-or-later
"""The world that is exported: the take's own, or one that it is moved to, turned and scaled alike in all directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..contract.errors import UserError

_UNEVEN = 1e-4
"""Share by which the axes of a matrix may differ in length, or lean on each other."""


@dataclass(frozen=True)
class World:
    """Exported world from the take's."""

    rotation: np.ndarray
    """(3, 3)"""
    scale: float
    offset: np.ndarray
    """(3,)"""

    @classmethod
    def of(cls, numbers: Sequence[float] | None) -> World:
        """Of the 16 numbers of a (4, 4) matrix, row by row; None leaves the take as it is.

        Raises UserError (``bad-matrix``) for what is no rotation, uniform scale and translation.
        """
        matrix = np.eye(4) if numbers is None else np.array(numbers, np.float64).reshape(4, 4)
        scale = float(np.cbrt(np.linalg.det(matrix[:3, :3]))) if np.isfinite(matrix).all() else 0.0
        rotation = matrix[:3, :3] / scale if scale > 0 else np.zeros((3, 3))
        is_even = np.abs(rotation @ rotation.T - np.eye(3)).max() <= _UNEVEN
        if not is_even or not np.array_equal(matrix[3], (0, 0, 0, 1)):
            raise UserError(
                "bad-matrix",
                "The matrix does more than move, turn and scale alike along all axes.",
                "Give the root the same scale along all axes, and none that is negative.",
            )
        left, _, right = np.linalg.svd(rotation)
        return cls(left @ right, scale, matrix[:3, 3].copy())

    def points(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) points of the take's world, float64."""
        return self.scale * np.asarray(points, np.float64) @ self.rotation.T + self.offset

    def camera(self, world_from_camera: np.ndarray) -> np.ndarray:
        """(4, 4) pose of a camera; lengths before it are `scale` times as long."""
        pose = np.eye(4)
        pose[:3, :3] = self.rotation @ world_from_camera[:3, :3]
        pose[:3, 3] = self.points(world_from_camera[:3, 3])
        return pose
