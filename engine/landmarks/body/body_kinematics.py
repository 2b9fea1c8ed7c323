# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses 22 body joints and their landmarks, with derivatives; the small rotations of the fit. m rows, float64.

A turn of a joint is written as an axis-angle vector in the frame of the camera ("about the world's axes"), which makes
the derivative of every point below it a plain cross product with the arm from the joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.skeleton import BODY_JOINT_COUNT, PARENTS, generations
from ..turns import cross_matrix
from .body_points import MOVES_WITH
from .body_prior import TURNED

_SMALL = 1e-6


def turn(vector: np.ndarray) -> np.ndarray:
    """(..., 3) axis-angle vectors, radians, to (..., 3, 3) rotations (Rodrigues)."""
    angle = np.sqrt((vector * vector).sum(axis=-1))[..., None, None]
    cross = cross_matrix(vector)
    half = np.sinc(angle / (2 * np.pi))
    return np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * half * half * (cross @ cross)


def turn_vector(rotation: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations to (..., 3) axis-angle vectors, for angles that stay off pi."""
    twice_sine = np.stack(
        [
            rotation[..., 2, 1] - rotation[..., 1, 2],
            rotation[..., 0, 2] - rotation[..., 2, 0],
            rotation[..., 1, 0] - rotation[..., 0, 1],
        ],
        axis=-1,
    )
    sine = 0.5 * np.sqrt((twice_sine * twice_sine).sum(axis=-1))
    cosine = 0.5 * (np.trace(rotation, axis1=-2, axis2=-1) - 1.0)
    factor = np.where(sine < _SMALL, 0.5, np.arctan2(sine, cosine) / np.maximum(2.0 * sine, _SMALL))
    return twice_sine * factor[..., None]


@dataclass(frozen=True)
class PosedBodies:
    """Bodies in the camera frame."""

    frames: np.ndarray
    """(m, 22, 3, 3) of each joint in the camera frame."""
    joints: np.ndarray
    """(m, 22, 3) metres."""
    points: np.ndarray
    """(m, K, 3) used landmarks, metres."""


def pose_bodies(rest: np.ndarray, offsets: np.ndarray, rotations: np.ndarray, pelvis: np.ndarray) -> PosedBodies:
    """Forward kinematics of `rest` (m, 22, 3) joints, `offsets` (m, K, 3) of the landmarks from their joints.

    `rotations` (m, 22, 3, 3) are in the parents' frames, the first in the camera's; `pelvis` (m, 3) is its position.
    """
    frames, joints = np.empty(rotations.shape), np.empty(rest.shape)
    frames[:, 0], joints[:, 0] = rotations[:, 0], pelvis
    for these, parents in _GENERATIONS:
        before = frames[:, parents]
        frames[:, these] = before @ rotations[:, these]
        bones = (rest[:, these] - rest[:, parents])[..., None]
        joints[:, these] = joints[:, parents] + (before @ bones)[..., 0]
    points = joints[:, _MOVES_WITH] + (frames[:, _MOVES_WITH] @ offsets[..., None])[..., 0]
    return PosedBodies(frames, joints, points)


def joint_frames(rotations: np.ndarray) -> np.ndarray:
    """(m, J, 3, 3) rotations in the parents' frames to (m, 22, 3, 3) frames of the body joints in the camera frame."""
    frames = np.array(rotations[:, :BODY_JOINT_COUNT])
    for these, parents in _GENERATIONS:
        frames[:, these] = frames[:, parents] @ rotations[:, these]
    return frames


def point_slopes(posed: PosedBodies) -> np.ndarray:
    """(m, K, 3, 63): how the landmarks move with turns of the 20 joints and with a shift of the body."""
    arms = posed.points[:, :, None] - posed.joints[:, None, _TURNED]
    slopes = np.empty((*posed.points.shape, 3 * len(TURNED) + 3))
    turns = -cross_matrix(arms * _MOVED[..., None])
    slopes[..., :-3] = turns.swapaxes(2, 3).reshape(*posed.points.shape, -1)
    slopes[..., -3:] = np.eye(3)
    return slopes


def _moved() -> np.ndarray:
    """(K, 20) 1 where a turned joint moves a landmark, else 0."""
    moved = np.zeros((len(MOVES_WITH), len(TURNED)))
    for row, joint in enumerate(MOVES_WITH):
        while joint >= 0:
            if joint in TURNED:
                moved[row, TURNED.index(joint)] = 1.0
            joint = PARENTS[joint]
    return moved


_GENERATIONS = generations(BODY_JOINT_COUNT)
_MOVED = _moved()
_TURNED = list(TURNED)
_MOVES_WITH = list(MOVES_WITH)
