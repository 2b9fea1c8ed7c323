# SPDX-License-Identifier: GPL-3.0-or-later
"""Small geometry in numpy over any leading batch shape: shortest rotations, frames, blends. float64."""

from __future__ import annotations

import numpy as np

from ...engine.contract import rotations
from ...engine.contract.rotations import unit


def transposed(matrices: np.ndarray) -> np.ndarray:
    """(..., 3, 3) inverse rotations."""
    return np.swapaxes(matrices, -1, -2)


def turned(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(..., 3) vectors after (..., 3, 3) rotations."""
    return np.einsum("...ij,...j->...i", matrices, vectors)


def shortest_rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations by the smallest angle that take (..., 3) directions to others.

    Between opposite directions every half turn is as short; one is chosen.
    """
    start, end = np.broadcast_arrays(unit(start), unit(end))
    cosine = np.sum(start * end, axis=-1, keepdims=True)
    quaternion = np.concatenate([1 + cosine, np.cross(start, end)], axis=-1)
    aside = unit(np.cross(start, np.eye(3)[np.argmin(np.abs(start), axis=-1)]))
    half_turn = np.concatenate([np.zeros_like(cosine), aside], axis=-1)
    return rotations.quaternion_to_matrix(np.where(cosine < -1 + 1e-12, half_turn, quaternion))


def frame(main: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(..., 3, 3) right-handed frames whose x is (..., 3) `main` and whose y is nearest to (..., 3) `second`."""
    x = unit(main)
    y = unit(second - np.sum(second * x, axis=-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def blend(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """(..., 3, 3) rotations on the shortest way from `first` (share 0) to `second` (share 1)."""
    way = rotations.matrix_to_axis_angle(transposed(first) @ second)
    return first @ rotations.axis_angle_to_matrix(share * way)


def angle_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(...) radians between (..., 3) directions; exact for small ones too."""
    first, second = unit(first), unit(second)
    return 2 * np.arctan2(np.linalg.norm(first - second, axis=-1), np.linalg.norm(first + second, axis=-1))


def nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    """(..., 3, 3) the rotation in linear maps without mirroring: their polar part."""
    left, _, right = np.linalg.svd(matrix)
    return left @ right
