# SPDX-License-Identifier: GPL-3.0-or-later
"""A canvas of directions about one place: columns are angles about the world's up, rows are angles above the level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.rotations import axis_angle_to_matrix

_BORDER = 24
"""Points along each side of a picture by which its extent on the canvas is found."""
_FULL_TURN = 2 * np.pi


@dataclass(frozen=True)
class Directions:
    """Which directions a canvas covers, and with how many pixels; radians."""

    axes: np.ndarray
    """(3, 3) rows: right, up and forward of the canvas's middle, world frame, level but for up."""
    left: float
    """Angle of the left edge, to the right of forward; the right edge lies as far on the other side."""
    top: float
    """Angle of the top edge above the level."""
    pixels: tuple[int, int]
    """Width and height."""
    step: float
    """Radians of a pixel."""

    @property
    def is_full_turn(self) -> bool:
        """Whether the right edge meets the left one."""
        return bool(self.pixels[0] * self.step > _FULL_TURN - 0.5 * self.step)

    def at(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(R, C, 3) unit vectors, world frame, at pixels counted from the center of the top-left one."""
        turn, rise = self.left + (columns + 0.5) * self.step, self.top - (rows + 0.5) * self.step
        level = np.cos(rise)[:, None]
        local = np.stack(
            np.broadcast_arrays(level * np.sin(turn), np.sin(rise)[:, None], level * np.cos(turn)), axis=-1
        )
        return np.asarray(local @ self.axes)

    def extent(self, extent: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
        """First and last column, first and last row around angles as :func:`extents` gives them; columns may lie
        outside the canvas where that goes all around."""
        left, right, low, high = extent
        columns = np.floor((left - self.left) / self.step) - 1, np.ceil((right - self.left) / self.step) + 1
        rows = np.floor((self.top - high) / self.step) - 1, np.ceil((self.top - low) / self.step) + 1
        width, height = self.pixels
        if not self.is_full_turn:
            columns = max(columns[0], 0), min(columns[1], width)
        elif columns[1] - columns[0] > width:
            columns = 0, width
        return int(columns[0]), int(columns[1]), int(max(rows[0], 0)), int(min(rows[1], height))


def covering(
    turns: np.ndarray, wanted: list[int], camera: np.ndarray, size: tuple[int, int], up: np.ndarray, most: int
) -> tuple[Directions, np.ndarray]:
    """A canvas for all that K `wanted` ones of (N, 3, 3) turns of a camera show, at its resolution or at `most` pixels
    a side; and (K, 4) extents of the pictures on it: angles from left to right of forward, from low to high."""
    axes = level_axes(turns[0], up)
    extents = _extents(turns, wanted, camera, size, axes)
    left, right = float(extents[:, 0].min()), float(extents[:, 1].max())
    if right - left >= _FULL_TURN:
        left = 0.5 * (left + right) - np.pi
        right = left + _FULL_TURN
    middle = 0.5 * (left + right)
    turn = axis_angle_to_matrix(np.array([0.0, middle, 0.0]))
    axes = turn.T @ axes
    extents[:, :2] -= middle
    low, high = float(extents[:, 2].min()), float(extents[:, 3].max())
    step = max(1.0 / camera[0, 0], (right - left) / most, (high - low) / most)
    width, height = (max(2, round(span / step)) for span in (right - left, high - low))
    # A full turn is divided evenly, so that its ends meet.
    step = (right - left) / width
    return Directions(
        axes, 0.5 * (left - right), 0.5 * (low + high) + 0.5 * height * step, (width, height), step
    ), extents


def level_axes(turn: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(3, 3) rows: right, up, and forward of a camera made level; of one that looks down, where its top points."""
    looks = max((turn[:, 2], -turn[:, 1]), key=lambda axis: np.linalg.norm(axis - (axis @ up) * up))
    forward = looks - (looks @ up) * up
    forward /= np.linalg.norm(forward)
    return np.stack([np.cross(forward, up), up, forward])


def _extents(
    turns: np.ndarray, wanted: list[int], camera: np.ndarray, size: tuple[int, int], axes: np.ndarray
) -> np.ndarray:
    """(K, 4) least and greatest turn and rise that wanted pictures show; turns go on beyond a half, frame by frame."""
    width, height = size
    along = np.linspace(0.0, 1.0, _BORDER)
    edge = np.concatenate([
        np.stack([along, np.zeros(_BORDER)], axis=-1), np.stack([along, np.ones(_BORDER)], axis=-1),
        np.stack([np.zeros(_BORDER), along], axis=-1), np.stack([np.ones(_BORDER), along], axis=-1),
    ])  # fmt: skip
    pixel = edge * (width, height) - 0.5
    rays = np.concatenate([(pixel - camera[:2, 2]) / np.diag(camera)[:2], np.ones((len(pixel), 1))], axis=-1)
    local = axes @ turns
    middle = np.unwrap(np.arctan2(local[:, 0, 2], local[:, 2, 2]))
    result = np.empty((len(wanted), 4))
    for number, (turn, start) in enumerate(zip(local[wanted], middle[wanted], strict=True)):
        x, y, z = turn @ rays.T
        rise = np.arctan2(y, np.hypot(x, z))
        off = np.angle(np.exp(1j * (np.arctan2(x, z) - start)))
        least, greatest = off.min(), off.max()
        low, high = rise.min(), rise.max()
        for pole in (-1.0, 1.0):  # straight down and straight up: seen, all turns are
            seen = turn.T @ (0.0, pole, 0.0)
            if seen[2] > 0:
                at = seen[:2] / seen[2] * np.diag(camera)[:2] + camera[:2, 2]
                if (np.abs(at + 0.5 - np.array(size) / 2) < np.array(size) / 2).all():
                    least, greatest = -np.pi, np.pi
                    low, high = (-np.pi / 2, high) if pole < 0 else (low, np.pi / 2)
        result[number] = start + least, start + greatest, low, high
    return result
