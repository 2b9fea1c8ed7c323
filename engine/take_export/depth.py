# SPDX-License-Identifier: GPL-3.0-or-later
"""The depth of a frame at the footage's own size, from the point map of what the network saw."""

from __future__ import annotations

import cv2
import numpy as np

from ..contract.messages import PointMap

UNKNOWN = 0.0
"""Depth of a pixel that the network did not see, or of which it knows nothing."""

_EDGE = 1.1
"""Neighbors whose depths differ by more than this factor are things one behind the other: nothing is put between."""


def depth_of_footage(found: PointMap, known: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(height, width) float32 depth along the camera's axis, in meters, for footage of a size (width, height)."""
    depth = np.where(known, found.point_camera[..., 2], 0.0).astype(np.float32)
    columns, rows = _places(found.pixel_px, size)
    near = cv2.remap(depth, columns, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    between = cv2.remap(depth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    at_edge = cv2.remap(
        _at_edge(depth).astype(np.uint8), columns, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    result = np.where(at_edge > 0, near, between)
    height, width = depth.shape
    outside = (columns < -0.5) | (columns > width - 0.5) | (rows < -0.5) | (rows > height - 0.5)
    return np.where(outside, np.float32(UNKNOWN), result).astype(np.float32)


def _places(pixel_px: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) column and row of the map at each pixel of the footage, float32."""
    places = []
    for axis, line in enumerate((pixel_px[0, :, 0], pixel_px[:, 0, 1])):
        cell = float(line[-1] - line[0]) / max(len(line) - 1, 1) or 1.0
        places.append((np.arange(size[axis]) - float(line[0])) / cell)
    columns, rows = np.meshgrid(*places)
    return columns.astype(np.float32), rows.astype(np.float32)


def _at_edge(depth: np.ndarray) -> np.ndarray:
    """(H, W) bool: where a neighbor is much nearer or farther, or unknown."""
    around = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.dilate(depth, around) > _EDGE * cv2.erode(depth, around))
