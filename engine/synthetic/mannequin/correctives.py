# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose correctives of the mannequin: what linear blend skinning loses in a bent joint, put back.

Linear skinning makes elbows and knees collapse. Dual-quaternion skinning keeps their volume, so for a set of bends of
each joint the difference between the two, taken back to the rest pose, is fitted with the nine entries of (R - I) that
the SMPL-X format offers.
"""

from __future__ import annotations

import numpy as np

from ...contract.rotations import axis_angle_to_matrix, axis_angle_to_quaternion, quaternion_to_matrix
from ...contract.skeleton import JOINT_COUNT, LEFT_EYE, PARENTS, RIGHT_EYE

_LARGEST = 0.012
"""Offsets are kept below this (metres): a linear fit must not run away where joints bend further than it was fitted."""

_SMALLEST = 2e-4
"""Offsets that stay below this (metres) are dropped: they cost bytes and nobody sees them."""


def pose_correctives(vertices: np.ndarray, weights: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(N, 3, 486) metres per unit of (R - I); `vertices` (N, 3), `weights` (N, 55), `joints` (55, 3) at rest."""
    result = np.zeros((len(vertices), 3, 9 * (JOINT_COUNT - 1)))
    descendants = _descendants()
    for joint in range(1, JOINT_COUNT):
        if joint in (LEFT_EYE, RIGHT_EYE):
            continue
        moved = weights[:, descendants[joint]].sum(axis=1)
        members = np.nonzero((moved > 0.02) & (moved < 0.98))[0]
        if len(members):
            start = 9 * (joint - 1)
            result[members, :, start : start + 9] = _fit(vertices[members] - joints[joint], moved[members])
    return result


def _descendants() -> list[list[int]]:
    """For each joint, itself and all joints that move with it."""
    result: list[list[int]] = [[joint] for joint in range(JOINT_COUNT)]
    for joint in range(JOINT_COUNT - 1, 0, -1):
        result[PARENTS[joint]] += result[joint]
    return result


def _fit(points: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """(n, 3, 9) for points relative to the joint, `moved` (n,) the part of them that turns with it."""
    vectors = _bends()
    matrices = axis_angle_to_matrix(vectors)
    identity = np.eye(3)
    features = (matrices - identity).reshape(len(vectors), 9)
    # A regularised least squares: features of the samples to offsets of each point.
    gram = features.T @ features + 0.02 * np.eye(9)
    # With the joint as origin both rotations share their centre, so blending dual quaternions is blending quaternions.
    quaternions = axis_angle_to_quaternion(vectors)
    blended = moved[:, None, None] * quaternions + (1 - moved)[:, None, None] * np.array([1.0, 0, 0, 0])
    round_ = (quaternion_to_matrix(blended) @ points[:, None, :, None])[..., 0]
    linear = moved[:, None, None, None] * matrices + (1 - moved)[:, None, None, None] * identity
    wanted = np.linalg.solve(linear, round_[..., None])[..., 0] - points[:, None, :]
    solution = np.linalg.solve(gram, np.einsum("sf,nsc->fnc", features, wanted).reshape(9, -1))
    fitted = solution.reshape(9, len(points), 3).transpose(1, 2, 0)
    length = np.linalg.norm(fitted, axis=1, keepdims=True)
    fitted *= _LARGEST * np.tanh(length / _LARGEST) / np.maximum(length, 1e-12)
    largest = np.abs(fitted).max(axis=(1, 2), keepdims=True)
    return np.where(largest < _SMALLEST, 0.0, fitted)


def _bends() -> np.ndarray:
    """(S, 3) axis-angle vectors of the bends that the fit must honour: all directions, up to 60 degrees."""
    axes = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z], dtype=float)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return np.concatenate([axes * np.radians(angle) for angle in (20, 40, 60)])
