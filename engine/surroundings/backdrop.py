# SPDX-License-Identifier: GPL-3.0-or-later
"""The photographed backdrop: a plate as a grid of rays that end on the floor or on a card behind everybody."""

from __future__ import annotations

import numpy as np

from ..contract.messages import Backdrop
from ..estimate import CameraPath
from ..landmarks.camera.floor import backdrop_behind
from .angles import level_axes
from .plate import Plate

CELLS = 96
"""Of the grid along the picture's longer side."""
_CELL = np.deg2rad(1.5)
"""Of a turning camera's grid, at most: a wide one has more cells."""
_LEAST_LEVEL = 0.1
"""Steeper rays reach the card nowhere near; the floor is not made so low for their sake."""
_BELOW = 1.02
_LEAST_DROP_M = 1.0
_LEAST_HEIGHT_M = 0.05
"""Of the camera above a floor that anything can be shown on."""


def backdrop_of(plate: Plate, path: CameraPath) -> Backdrop:
    """The record of a plate; the camera's path says where the floor is."""
    pose = path.world_from_camera[0]
    up = np.array([0.0, -1.0, 0.0]) if path.up is None else np.asarray(path.up, np.float64)
    directions = plate.directions
    direction = _pinhole_grid(plate, pose[:3, :3]) if directions is None else _angle_grid(plate)
    forward = level_axes(pose[:3, :3], up)[2] if directions is None else directions.axes[2]
    distance = backdrop_behind(plate.people.farthest[None, None])
    center = pose[:3, 3]
    # As seen from the center, whose own place counts: the world's origin may be elsewhere.
    rise = float(center @ up)
    height = path.floor_height
    if height is None or height + rise < _LEAST_HEIGHT_M:  # no floor is above a camera that sees it
        height = _under_all(direction, up, forward, distance, directions is not None) - rise
    return Backdrop(
        center=center.astype(np.float64),
        direction=direction.astype(np.float32),
        picture=plate.picture,
        up=up,
        forward=forward,
        floor_height=float(height),
        card_distance=float(distance),
        is_round=directions is not None,
    )


def _cells(shape: tuple[int, ...], along: int) -> tuple[int, int]:
    """Rows and columns of vertices of a grid with so many cells along the longer side."""
    rows, columns = (max(1, round(along * side / max(shape[:2]))) + 1 for side in shape[:2])
    return rows, columns


def _edges(shape: tuple[int, ...], along: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the vertices in pixels: the outer ones lie on the picture's edges."""
    rows, columns = _cells(shape, along)
    return np.linspace(0, shape[0], rows) - 0.5, np.linspace(0, shape[1], columns) - 0.5


def _pinhole_grid(plate: Plate, turn: np.ndarray) -> np.ndarray:
    """(rows, columns, 3) unit vectors, world frame, of a still camera's picture."""
    rows, columns = _edges(plate.picture.shape, CELLS)
    x, y = (columns - plate.camera[0, 2]) / plate.camera[0, 0], (rows - plate.camera[1, 2]) / plate.camera[1, 1]
    rays = np.stack(np.broadcast_arrays(x, y[:, None], 1.0), axis=-1) @ turn.T
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def _angle_grid(plate: Plate) -> np.ndarray:
    """The same of a turning one's."""
    directions = plate.directions
    assert directions is not None
    cells = max(CELLS, int(np.ceil(max(plate.picture.shape[:2]) * directions.step / _CELL)))
    rows, columns = _edges(plate.picture.shape, cells)
    return directions.at(columns, rows)


def _under_all(direction: np.ndarray, up: np.ndarray, forward: np.ndarray, distance: float, is_round: bool) -> float:
    """How far below the center a floor lies that no ray meets before the card."""
    rise = direction @ up
    level = np.sqrt(np.maximum(1 - rise**2, 0)) if is_round else direction @ forward
    drop = -rise / np.maximum(level, _LEAST_LEVEL) * distance
    return max(_BELOW * float(drop.max()), _LEAST_DROP_M)
