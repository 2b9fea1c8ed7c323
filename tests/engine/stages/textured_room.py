# SPDX-License-Identifier: GPL-3.0-or-later
"""A room of textured planes, ray-cast exactly: grey pictures and depths from any camera, in milliseconds."""

import cv2
import numpy as np

PLANES = (
    # axis, where, and the bounds along the other two axes (in order): walls, floor, ceiling, the front of a box
    (2, 6.0, ((-9, 9), (-3, 3))),
    (0, -3.0, ((-3, 3), (-9, 9))),
    (0, 3.5, ((-3, 3), (-9, 9))),
    (1, 1.4, ((-9, 9), (-9, 9))),
    (1, -1.6, ((-9, 9), (-9, 9))),
    (2, 3.5, ((0.4, 1.4), (0.2, 1.4))),
)
TEXELS_PER_M = 20


def _texture() -> np.ndarray:
    """Blots of all sizes from a few centimetres up."""
    random = np.random.default_rng(3)
    octaves = [
        cv2.resize(random.random((size, size)), (512, 512), interpolation=cv2.INTER_CUBIC) - 0.5
        for size in (64, 128, 256)
    ]
    return (125 + 110 * np.sum(octaves, axis=0)).clip(5, 250).astype(np.float32)


TEXTURE = _texture()


def pinhole(size: tuple[int, int], focal: float) -> np.ndarray:
    """(3, 3) with the principal point that the engine assumes."""
    return np.array([[focal, 0, size[0] // 2], [0, focal, size[1] // 2], [0, 0, 1.0]])


def pose(position: tuple[float, float, float] = (0, 0, 0), yaw: float = 0.0, pitch: float = 0.0) -> np.ndarray:
    """`world_from_camera` (4, 4); angles in degrees."""
    matrix = np.eye(4)
    turn, _ = cv2.Rodrigues(np.array([0.0, np.radians(yaw), 0.0]))
    nod, _ = cv2.Rodrigues(np.array([np.radians(pitch), 0.0, 0.0]))
    matrix[:3, :3], matrix[:3, 3] = turn @ nod, position
    return matrix


def see(world_from_camera: np.ndarray, camera: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The room's picture (h, w) uint8 and its depths (h, w) float32 in metres."""
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    local = np.stack(
        [(columns - camera[0, 2]) / camera[0, 0], (rows - camera[1, 2]) / camera[1, 1], np.ones(columns.shape)], axis=-1
    )
    direction, origin = local @ world_from_camera[:3, :3].T, world_from_camera[:3, 3]
    depth, grey = np.full(columns.shape, np.inf), np.zeros(columns.shape, np.float32)
    for number, (axis, where, bounds) in enumerate(PLANES):
        with np.errstate(divide="ignore", invalid="ignore"):
            away = (where - origin[axis]) / direction[..., axis]
            point = origin + away[..., None] * direction
        across = [point[..., other] for other in range(3) if other != axis]
        hit = (away > 0) & (away < depth)
        for values, (low, high) in zip(across, bounds, strict=True):
            hit &= (values >= low) & (values <= high)
        texel = [np.where(hit, values * TEXELS_PER_M + 256 + 9 * number, 0).astype(np.float32) for values in across]
        seen = cv2.remap(TEXTURE, texel[0], texel[1], cv2.INTER_LINEAR)
        depth, grey = np.where(hit, away, depth), np.where(hit, seen, grey)
    return np.round(grey).clip(0, 255).astype(np.uint8), depth.astype(np.float32)
