# SPDX-License-Identifier: GPL-3.0-or-later
"""Two-bone inverse kinematics of the legs: ankles go where they are wanted, knees keep the plane they bend in."""

from __future__ import annotations

import numpy as np

from ..contract.rotations import matrix_to_quaternion, unit
from ..contract.skeleton import LEFT_ANKLE, LEFT_HIP, LEFT_KNEE, PELVIS

_STRAIGHTEST = 0.9995
"""Share of the leg's length that a solved leg has at most, so that the knee keeps a side to bend to."""
_STRAIGHT_SINE = 0.1
"""Below this sine of the knee's angle the thigh's own lateral axis takes part in choosing the plane of bending."""


def solve_legs(transforms: np.ndarray, rest_joints: np.ndarray, ankles: np.ndarray, feet: np.ndarray) -> np.ndarray:
    """Rotations of hips, knees and ankles that bring the ankles to `ankles`; the pelvis stays.

    `transforms` (T, 55, 4, 4) world poses before, `rest_joints` (55, 3), `ankles` (T, 2, 3) wanted world positions
    (left, right), `feet` (T, 2, 3, 3) wanted world rotations of the feet. Returns (T, 3, 2, 4) quaternions relative
    to the parents: hips, knees, ankles. What is out of reach is approached on a straight line from the hip.
    """
    solved = np.empty((len(transforms), 3, 2, 4))
    pelvis = transforms[:, PELVIS, :3, :3]
    for side in range(2):
        hip, knee, ankle = (joint + side for joint in (LEFT_HIP, LEFT_KNEE, LEFT_ANKLE))
        at_hip, at_knee, at_ankle = (transforms[:, joint, :3, 3] for joint in (hip, knee, ankle))
        thigh, shank = transforms[:, hip, :3, :3], transforms[:, knee, :3, :3]
        upper = np.linalg.norm(rest_joints[knee] - rest_joints[hip])
        lower = np.linalg.norm(rest_joints[ankle] - rest_joints[knee])
        before_upper, before_lower = at_knee - at_hip, at_ankle - at_knee
        bend = np.cross(before_upper, before_lower) / (upper * lower)
        hinge = (_STRAIGHT_SINE - np.linalg.norm(bend, axis=-1, keepdims=True)).clip(min=0)
        bend = unit(bend + hinge * thigh[:, :, 0])
        way = ankles[:, side] - at_hip
        reach = np.linalg.norm(way, axis=-1, keepdims=True)
        bounded = np.clip(reach, abs(upper - lower) + 0.02, _STRAIGHTEST * (upper + lower))
        direction = way / np.maximum(reach, 1e-9)
        # The plane turns with the line from hip to ankle by the shortest way.
        bend = _turned(bend, unit(at_ankle - at_hip), direction)
        forward = unit(np.cross(direction, bend))
        along = (upper**2 - lower**2 + bounded**2) / (2 * bounded)
        aside = np.sqrt(np.maximum(upper**2 - along**2, 0))
        after_upper = along * direction + aside * forward
        after_lower = bounded * direction - after_upper
        new_thigh = _from_to(before_upper, after_upper, bend) @ thigh
        new_shank = _from_to(before_lower, after_lower, bend) @ shank
        chain = (pelvis, new_thigh, new_shank, feet[:, side])
        for place in range(3):
            solved[:, place, side] = matrix_to_quaternion(chain[place].swapaxes(-1, -2) @ chain[place + 1])
    return solved


def _turned(vectors: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(T, 3) vectors turned by the shortest rotation from (T, 3) unit vectors to others."""
    axis, cosine = np.cross(start, end), (start * end).sum(axis=-1, keepdims=True)
    dot = (axis * vectors).sum(axis=-1, keepdims=True)
    return cosine * vectors + np.cross(axis, vectors) + axis * dot / np.maximum(1 + cosine, 1e-6)


def _from_to(start: np.ndarray, end: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations from (T, 3) bones to others that leave no twist about (T, 3) the plane's normal."""
    first, second = unit(start), unit(end)
    # The old bone need not lie in the new plane: its own normal is the new one, turned back.
    frames = [_frame(first, _turned(normal, second, first)), _frame(second, normal)]
    return frames[1] @ frames[0].swapaxes(-1, -2)


def _frame(bone: np.ndarray, normal: np.ndarray) -> np.ndarray:
    side = unit(normal - (normal * bone).sum(axis=-1, keepdims=True) * bone)
    return np.stack([bone, side, np.cross(bone, side)], axis=-1)
