# SPDX-License-Identifier: GPL-3.0-or-later
"""Small rotations and their derivatives, in numpy, over any leading batch shape. Angles in radians."""

from __future__ import annotations

import numpy as np

from ..contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle, unit
from .observations import Pinhole

_SMALL = 1e-4
"""Below this angle the first terms of the series are exact to 1e-9."""


def cross_matrix(vector: np.ndarray) -> np.ndarray:
    """(..., 3) to (..., 3, 3): the matrix that takes a vector to its cross product with `vector` on the left."""
    matrix = np.zeros((*vector.shape, 3))
    matrix[..., 2, 1], matrix[..., 1, 2] = vector[..., 0], -vector[..., 0]
    matrix[..., 0, 2], matrix[..., 2, 0] = vector[..., 1], -vector[..., 1]
    matrix[..., 1, 0], matrix[..., 0, 1] = vector[..., 2], -vector[..., 2]
    return matrix


def turn_about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """(..., 3) unit axes and (...) angles to (..., 3, 3) rotations (Rodrigues)."""
    cross = cross_matrix(axis)
    sine, rest = np.sin(angle)[..., None, None], (1.0 - np.cos(angle))[..., None, None]
    return np.eye(3) + sine * cross + rest * (cross @ cross)


def left_jacobian(vector: np.ndarray) -> np.ndarray:
    """(..., 3) axis-angle to (..., 3, 3) J: a change d of the vector turns by J d, seen from outside."""
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    safe, cross = np.maximum(angle, _SMALL), cross_matrix(vector)
    first = np.where(angle < _SMALL, 0.5, (1.0 - np.cos(safe)) / safe**2)
    second = np.where(angle < _SMALL, 1.0 / 6.0, (safe - np.sin(safe)) / safe**3)
    return np.eye(3) + first * cross + second * (cross @ cross)


def inverse_left_jacobian(vector: np.ndarray) -> np.ndarray:
    """The inverse of `left_jacobian`, for angles under 2 pi."""
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    safe, cross = np.maximum(angle, _SMALL), cross_matrix(vector)
    half = 0.5 * safe
    second = np.where(angle < _SMALL, 1.0 / 12.0, (1.0 - half / np.tan(half)) / safe**2)
    return np.eye(3) - 0.5 * cross + second * (cross @ cross)


def transposed(matrices: np.ndarray) -> np.ndarray:
    """The inverse rotations."""
    return np.swapaxes(matrices, -1, -2)


def part_of_turn(rotations: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """(..., 3, 3) rotations about the same axes by a share (...) of their angles."""
    return axis_angle_to_matrix(np.asarray(share)[..., None] * matrix_to_axis_angle(rotations))


def between(first: np.ndarray, second: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """The rotations on the shortest way from the first ones (share 0) to the second ones (share 1)."""
    return first @ part_of_turn(transposed(first) @ second, share)


def twist_angle(rotations: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(...) how far (..., 3, 3) rotations turn about (..., 3) unit axes, in (-pi, pi]: their swing is left out."""
    vector = matrix_to_axis_angle(rotations)
    angle = np.linalg.norm(vector, axis=-1)
    along = np.einsum("...k,...k->...", vector, axis) / np.maximum(angle, 1e-12)
    twist = 2.0 * np.arctan2(np.sin(0.5 * angle) * along, np.cos(0.5 * angle))
    return (twist + np.pi) % (2.0 * np.pi) - np.pi


def turns_to(rays: np.ndarray) -> np.ndarray:
    """(..., 3, 3) the smallest turns that take the optical axis on to the (..., 3) rays, which go ahead."""
    ray = unit(rays)
    cross = cross_matrix(np.stack([-ray[..., 1], ray[..., 0], np.zeros(ray.shape[:-1])], axis=-1))
    return np.eye(3) + cross + cross @ cross / (1.0 + ray[..., 2])[..., None, None]


def turn_to_ray(point_px: np.ndarray, camera: Pinhole) -> np.ndarray:
    """(..., 2) pixels to the (..., 3, 3) rotations that take the optical axis on to the rays through them.

    What a network says of a crop holds in a camera that looks at the crop; this turns it into the footage's camera.
    """
    slope = (np.asarray(point_px, np.float64) - camera.principal_point_px) / camera.focal_px
    return turns_to(np.concatenate([slope, np.ones((*slope.shape[:-1], 1))], axis=-1))
