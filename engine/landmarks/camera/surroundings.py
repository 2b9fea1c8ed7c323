# SPDX-License-Identifier: GPL-3.0-or-later
"""A rough depth of the surroundings: the floor, and round about an upright backdrop behind everybody.

The backdrop is a round wall, so that it is the same one for every picture of a camera that turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..observations import Pinhole
from .floor import Floor

_LEAST_LEVEL = 0.1
"""Square of the sine of the angle between up and the steepest rays: there the wall bends over to a roof."""


@dataclass(frozen=True)
class Surroundings:
    """Floor and backdrop in one frame of coordinates, that of a still camera or a take's world."""

    floor: Floor | None
    """Without one, the backdrop's axis is the frame's own y axis."""
    backdrop_m: float
    """Radius of the backdrop."""
    middle: np.ndarray
    """(3,) a point of its axis; cameras are nearer to it than the backdrop."""

    def depth(self, camera: Pinhole, size: tuple[int, int], pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(H, W) float32 depth of a picture of `size` (width, height), and (H, W) bool what of it is floor.

        `pose` (4, 4) is from the camera's frame to that of the surroundings.
        """
        up = np.array([0.0, -1.0, 0.0]) if self.floor is None else self.floor.up
        rise = _along(pose[:3, :3].T @ up, camera, size)
        far = self._to_backdrop(up, rise, camera, size, pose)
        if self.floor is None:
            return far, np.zeros(far.shape, bool)
        height = self.floor.height + float(pose[:3, 3] @ up)
        with np.errstate(divide="ignore"):
            depth = np.where((rise < 0) & (height > 0), -height / rise, np.inf)
        return np.minimum(depth, far).astype(np.float32), depth < far

    def _to_backdrop(
        self, up: np.ndarray, rise: np.ndarray, camera: Pinhole, size: tuple[int, int], pose: np.ndarray
    ) -> np.ndarray:
        """(H, W) float32 depth of the round wall, seen from inside."""
        start = pose[:3, 3] - self.middle
        start = start - (start @ up) * up
        x, y = _slopes(camera, size)
        level = np.maximum(x**2 + y[:, None] ** 2 + 1 - rise**2, _LEAST_LEVEL)
        towards = _along(pose[:3, :3].T @ start, camera, size)
        inside = max(self.backdrop_m**2 - float(start @ start), 1.0)
        return ((np.sqrt(towards**2 + level * inside) - towards) / level).astype(np.float32)


def _slopes(camera: Pinhole, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(W,) and (H,) of the rays (x, y, 1) through the pixels."""
    (width, height), centre = size, camera.principal_point_px
    x, y = np.arange(width, dtype=np.float32) - centre[0], np.arange(height, dtype=np.float32) - centre[1]
    return x / camera.focal_px, y / camera.focal_px


def _along(direction: np.ndarray, camera: Pinhole, size: tuple[int, int]) -> np.ndarray:
    """(H, W) how far each pixel's ray (x, y, 1) goes along a direction of the camera's frame."""
    x, y = _slopes(camera, size)
    return direction[0] * x + (direction[1] * y + direction[2])[:, None]
