# SPDX-License-Identifier: GPL-3.0-or-later
"""Points from the rays of cameras whose poses are known."""

from __future__ import annotations

import numpy as np

from .bundle import Scene, Sightings

_TINY = 1e-9


def rays(camera_from_world: np.ndarray, focal: float, seen: Sightings) -> tuple[np.ndarray, np.ndarray]:
    """(M, 3) centers of the cameras and (M, 3) unit directions of the sightings, world frame."""
    pose = camera_from_world[seen.camera]
    back = np.swapaxes(pose[:, :3, :3], 1, 2)
    direction = np.column_stack([seen.pixel, np.full(len(seen.pixel), focal)])
    direction = (back @ direction[:, :, None])[:, :, 0]
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return -(back @ pose[:, :3, 3:])[:, :, 0], direction


def nearest_points(camera_from_world: np.ndarray, focal: float, seen: Sightings, count: int) -> np.ndarray:
    """(count, 3) for each point the place that is nearest to all its rays; meaningless where those are parallel."""
    center, direction = rays(camera_from_world, focal, seen)
    across = np.eye(3) - direction[:, :, None] * direction[:, None, :]
    total, right = np.zeros((count, 3, 3)), np.zeros((count, 3))
    if len(seen.point):
        first = np.flatnonzero(np.diff(seen.point, prepend=-1))
        total[seen.point[first]] = np.add.reduceat(across, first)
        right[seen.point[first]] = np.add.reduceat((across @ center[:, :, None])[:, :, 0], first)
    return np.linalg.solve(total + _TINY * np.eye(3), right[:, :, None])[:, :, 0]


def ray_angles(scene: Scene, seen: Sightings) -> np.ndarray:
    """(N,) degrees: the largest angle under which cameras see a point, about; 0 for points that nobody sees."""
    pose = scene.camera_from_world[seen.camera]
    center = -(np.swapaxes(pose[:, :3, :3], 1, 2) @ pose[:, :3, 3:])[:, :, 0]
    ray = scene.points[seen.point] - center
    ray /= np.maximum(np.linalg.norm(ray, axis=1, keepdims=True), _TINY)
    middle = np.zeros_like(scene.points)
    np.add.at(middle, seen.point, ray)
    middle /= np.maximum(np.linalg.norm(middle, axis=1, keepdims=True), _TINY)
    # By the chord: the arc cosine of nearly 1 is all rounding.
    off = 2 * np.arcsin(np.clip(np.linalg.norm(ray - middle[seen.point], axis=1) / 2, 0, 1))
    largest = np.zeros(len(scene.points))
    np.maximum.at(largest, seen.point, off)
    return np.degrees(largest)


def part(seen: Sightings, chosen: np.ndarray) -> Sightings:
    """Those sightings of which `chosen` (M,) bool is true; points keep their numbers."""
    return Sightings(seen.camera[chosen], seen.point[chosen], seen.pixel[chosen])


def renumbered(seen: Sightings) -> tuple[Sightings, np.ndarray]:
    """The same with points numbered without gaps, and the (n,) numbers that they had."""
    kept, point = np.unique(seen.point, return_inverse=True)
    return Sightings(seen.camera, point, seen.pixel), kept
