# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations in numpy: axis-angle vectors, matrices and quaternions, over any leading batch shape.

Axis-angle vectors are axis times angle in radians. Quaternions are wxyz (real part first) and of unit length. Matrices
rotate column vectors: `rotated = matrix @ point`. Everything is computed and returned in float64.
"""

from __future__ import annotations

import numpy as np

_SMALL = 1e-8
"""Below this sine of half an angle the first terms of the series are exact in float64."""


def unit(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) vectors of length one; those without a length stay zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def axis_angle_to_quaternion(axis_angle: np.ndarray) -> np.ndarray:
    """(..., 3) axis-angle vectors in radians to (..., 4) unit quaternions wxyz; the sign follows the angle."""
    vector = np.asarray(axis_angle, dtype=np.float64)
    half_angle = 0.5 * np.linalg.norm(vector, axis=-1, keepdims=True)
    # np.sinc(x) is sin(pi x) / (pi x), smooth at zero: half of it is sin(angle / 2) / angle.
    return np.concatenate([np.cos(half_angle), 0.5 * np.sinc(half_angle / np.pi) * vector], axis=-1)


def quaternion_to_axis_angle(quaternion: np.ndarray) -> np.ndarray:
    """(..., 4) quaternions wxyz (normalised here) to (..., 3) axis-angle vectors with angles in [0, pi]."""
    quaternion = _normalised(quaternion)
    quaternion = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    imaginary = quaternion[..., 1:]
    sine = np.linalg.norm(imaginary, axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quaternion[..., :1])
    small = sine < _SMALL
    return imaginary * np.where(small, 2.0, angle / np.where(small, 1.0, sine))


def quaternion_to_matrix(quaternion: np.ndarray) -> np.ndarray:
    """(..., 4) quaternions wxyz (normalised here) to (..., 3, 3) rotation matrices."""
    w, x, y, z = np.moveaxis(_normalised(quaternion), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_quaternion(matrix: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation matrices to (..., 4) unit quaternions wxyz with w >= 0.

    Each component yields a row that is the quaternion times that component; the row of the largest one is divided by
    its own length, so that nothing small is ever divided by, at any angle up to and including pi.
    """
    m = np.asarray(matrix, dtype=np.float64)
    m00, m11, m22 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    x, y, z = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    rows = np.stack(
        [
            np.stack([1 + m00 + m11 + m22, x, y, z], axis=-1),
            np.stack([x, 1 + m00 - m11 - m22, xy, xz], axis=-1),
            np.stack([y, xy, 1 - m00 + m11 - m22, yz], axis=-1),
            np.stack([z, xz, yz, 1 - m00 - m11 + m22], axis=-1),
        ],
        axis=-2,
    )
    largest = np.argmax(np.diagonal(rows, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(rows, largest[..., None, None], axis=-2)[..., 0, :]
    quaternion = _normalised(row)
    return np.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def axis_angle_to_matrix(axis_angle: np.ndarray) -> np.ndarray:
    """(..., 3) axis-angle vectors in radians to (..., 3, 3) rotation matrices."""
    return quaternion_to_matrix(axis_angle_to_quaternion(axis_angle))


def matrix_to_axis_angle(matrix: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation matrices to (..., 3) axis-angle vectors with angles in [0, pi]."""
    return quaternion_to_axis_angle(matrix_to_quaternion(matrix))


def quaternion_multiply(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Hamilton product of quaternions wxyz, (..., 4) each, broadcast: rotates by `second`, then by `first`."""
    w1, x1, y1, z1 = np.moveaxis(np.asarray(first, dtype=np.float64), -1, 0)
    w2, x2, y2, z2 = np.moveaxis(np.asarray(second, dtype=np.float64), -1, 0)
    return np.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        axis=-1,
    )


def quaternion_conjugate(quaternion: np.ndarray) -> np.ndarray:
    """The inverse rotation of (..., 4) unit quaternions wxyz."""
    return np.asarray(quaternion, dtype=np.float64) * np.array([1.0, -1.0, -1.0, -1.0])


def continuous_quaternions(quaternions: np.ndarray, previous: np.ndarray | None = None) -> np.ndarray:
    """Choose the sign of each quaternion so that no step in time is longer than it must be.

    `quaternions` is (T, ..., 4), time first; `previous`, (..., 4), is the one before the first, for appending to a
    track. A quaternion and its negative are the same rotation, but interpolating from one to the other spins the
    joint. Without `previous` the first quaternion stays as it is.
    """
    quaternions = np.asarray(quaternions, dtype=np.float64)
    if quaternions.shape[0] == 0:
        return quaternions.copy()
    before = quaternions[0] if previous is None else np.asarray(previous, dtype=np.float64)
    chain = np.concatenate([before[None], quaternions])
    flips = np.where(np.sum(chain[1:] * chain[:-1], axis=-1, keepdims=True) < 0, -1.0, 1.0)
    return quaternions * np.cumprod(flips, axis=0)


def _normalised(quaternion: np.ndarray) -> np.ndarray:
    quaternion = np.asarray(quaternion, dtype=np.float64)
    return quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
