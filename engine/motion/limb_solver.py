# SPDX-License-Identifier: GPL-3.0-or-later
"""Two-bone inverse kinematics of legs and arms: ends go where they are wanted, knees and elbows bend as before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.rotations import matrix_to_quaternion, unit
from ..contract.skeleton import (
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    PARENTS,
)

_STRAIGHTEST = 0.9995
"""Share of a limb's length that a solved one has at most, so that the middle joint keeps a side to bend to."""
_STRAIGHT_SINE = 0.1
"""Below this sine of the middle joint's angle the upper bone's own hinge helps to choose the plane of bending."""


@dataclass(frozen=True)
class Limbs:
    """A pair of limbs of two bones each."""

    joints: tuple[int, int, int]
    """Of the left one, from the body outward; those of the right one have the next numbers."""
    hinges: tuple[tuple[float, float, float], tuple[float, float, float]]
    """About which axis the middle joint of the left and of the right one bends, in the upper bone's frame."""


LEG = Limbs((LEFT_HIP, LEFT_KNEE, LEFT_ANKLE), ((1, 0, 0), (1, 0, 0)))
ARM = Limbs((LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST), ((0, -1, 0), (0, 1, 0)))


def solve_limbs(
    transforms: np.ndarray, rest_joints: np.ndarray, limbs: Limbs, ends: np.ndarray, turned: np.ndarray
) -> np.ndarray:
    """Rotations of the joints of two limbs that bring their ends to `ends`; what they hang from stays.

    `transforms` (T, 55, 4, 4) world poses before, `rest_joints` (55, 3), `ends` (T, 2, 3) wanted world positions of
    the last joints (left, right), `turned` (T, 2, 3, 3) their wanted world rotations. Returns (T, 3, 2, 4) quaternions
    relative to the parents, joint by joint. What is out of reach is approached on a straight line from the first one.
    """
    solved = np.empty((len(transforms), 3, 2, 4))
    for side in range(2):
        first, middle, end = (joint + side for joint in limbs.joints)
        at_first, at_middle, at_end = (transforms[:, joint, :3, 3] for joint in (first, middle, end))
        upper_turn, lower_turn = transforms[:, first, :3, :3], transforms[:, middle, :3, :3]
        upper = np.linalg.norm(rest_joints[middle] - rest_joints[first])
        lower = np.linalg.norm(rest_joints[end] - rest_joints[middle])
        before_upper, before_lower = at_middle - at_first, at_end - at_middle
        bend = np.cross(before_upper, before_lower) / (upper * lower)
        hinge = (_STRAIGHT_SINE - np.linalg.norm(bend, axis=-1, keepdims=True)).clip(min=0)
        bend = unit(bend + hinge * (upper_turn @ np.array(limbs.hinges[side], dtype=np.float64)))
        way = ends[:, side] - at_first
        reach = np.linalg.norm(way, axis=-1, keepdims=True)
        bounded = np.clip(reach, abs(upper - lower) + 0.02, _STRAIGHTEST * (upper + lower))
        direction = way / np.maximum(reach, 1e-9)
        # The plane turns with the line from first to end by the shortest way.
        bend = _turned(bend, unit(at_end - at_first), direction)
        forward = unit(np.cross(direction, bend))
        along = (upper**2 - lower**2 + bounded**2) / (2 * bounded)
        aside = np.sqrt(np.maximum(upper**2 - along**2, 0))
        after_upper = along * direction + aside * forward
        after_lower = bounded * direction - after_upper
        new_upper = _from_to(before_upper, after_upper, bend) @ upper_turn
        new_lower = _from_to(before_lower, after_lower, bend) @ lower_turn
        chain = (transforms[:, PARENTS[first], :3, :3], new_upper, new_lower, turned[:, side])
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
