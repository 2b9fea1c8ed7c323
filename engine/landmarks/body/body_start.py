# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the fit starts: the torso turned and the limbs bent like the landmarks in space, in closed form.

m rows, K used landmarks; camera frame.
"""

from __future__ import annotations

import numpy as np

from ...contract.rotations import unit
from ...contract.skeleton import (
    BODY_JOINT_COUNT,
    LEFT_ANKLE,
    LEFT_COLLAR,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    RIGHT_ANKLE,
    RIGHT_COLLAR,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
)
from .body_kinematics import turn
from .body_points import HIPS, PLACE, SHOULDERS
from .body_prior import HINGES, TURNED, prior_middle
from .body_solver import Seen

_LIMBS = np.array(
    [
        (LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST),
        (RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST),
        (LEFT_HIP, LEFT_KNEE, LEFT_ANKLE),
        (RIGHT_HIP, RIGHT_KNEE, RIGHT_ANKLE),
    ]
)
"""(4, 3) joints of the limbs, from the torso outwards."""

_MARKS = np.array([[PLACE[mark] for mark in limb] for limb in ((11, 13, 15), (12, 14, 16), (23, 25, 27), (24, 26, 28))])
"""(4, 3) used landmarks at those joints."""

_STRAIGHT = 0.15
"""Sine of the bend below which a limb says little about the axis that it bends about."""


def start(seen: Seen, focal_px: float) -> tuple[np.ndarray, np.ndarray]:
    """(m, 22, 3, 3) rotations and (m, 3) pelvis: as the landmarks in space have it, as far away as it looks large."""
    rotations = np.tile(np.eye(3), (len(seen.world), BODY_JOINT_COUNT, 1, 1))
    rotations[:, list(TURNED)] = turn(prior_middle())
    rotations[:, 0] = torso = _torso(seen.world)
    rotations[:, [LEFT_COLLAR, RIGHT_COLLAR]] = np.eye(3)
    rotations[:, _LIMBS[:, 0]], rotations[:, _LIMBS[:, 1]] = _limbs(seen, torso)
    slopes = seen.pixels[:, HIPS].mean(axis=1) / focal_px
    return rotations, np.concatenate([slopes, np.ones((len(slopes), 1))], axis=-1) * _depth(seen, focal_px)[:, None]


def _torso(world: np.ndarray) -> np.ndarray:
    """(m, 3, 3) columns: where left, up and front of the torso point."""
    left = world[:, [SHOULDERS[0], HIPS[0]]].sum(axis=1) - world[:, [SHOULDERS[1], HIPS[1]]].sum(axis=1)
    up = unit(world[:, SHOULDERS].sum(axis=1) - world[:, HIPS].sum(axis=1))
    left = unit(left - up * (left * up).sum(axis=-1, keepdims=True))
    return np.stack([left, up, np.cross(left, up)], axis=-1)


def _limbs(seen: Seen, torso: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, 4, 3, 3) rotations of shoulders and hips, and of elbows and knees, that point the bones like the landmarks.

    The upper joint is twisted so that the lower one can be the hinge that it is.
    """
    inside = torso.swapaxes(-1, -2)[:, None, None]
    points = seen.world[:, _MARKS]
    bones = unit((inside @ np.diff(points, axis=2)[..., None])[..., 0])
    upper, lower = bones[:, :, 0], bones[:, :, 1]
    rest = unit(seen.rest[:, _LIMBS[:, 1]] - seen.rest[:, _LIMBS[:, 0]])
    axis = unit(_AXES - rest * (rest * _AXES).sum(axis=-1, keepdims=True))
    hanging = (_MIDDLE_TURNS @ axis[..., None])[..., 0]
    bend = np.cross(upper, lower) + _STRAIGHT * hanging
    bend = unit(bend - upper * (bend * upper).sum(axis=-1, keepdims=True))
    turned = _frame(upper, bend) @ _frame(rest, axis).swapaxes(-1, -2)
    angle = np.arctan2((np.cross(upper, lower) * bend).sum(axis=-1), (upper * lower).sum(axis=-1))
    return turned, turn(axis * np.maximum(angle, 0.0)[..., None])


def _depth(seen: Seen, focal_px: float) -> np.ndarray:
    """(m,) metres at which the body looks as large as it does, or what is known of them."""
    metres = seen.world[..., :2] - seen.world[..., :2].mean(axis=1, keepdims=True)
    pixels = seen.pixels - seen.pixels.mean(axis=1, keepdims=True)
    weight = seen.trust[..., None]
    per_metre = (weight * metres * pixels).sum(axis=(1, 2)) / (weight * metres * metres).sum(axis=(1, 2))
    return np.where(seen.depth_weight > 0, np.exp(seen.log_depth), focal_px / np.maximum(per_metre, 1e-3))


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(..., 3, 3) columns: two orthogonal unit vectors and their cross product."""
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def _hinge_axes() -> np.ndarray:
    """(4, 3) axis about which the lower joint of each limb bends, in its rest frame."""
    axes = {joint: sign * np.eye(3)[axis] for joint, axis, sign in HINGES}
    return np.array([axes[joint] for joint in _LIMBS[:, 1]])


_AXES = _hinge_axes()
_MIDDLE_TURNS = turn(prior_middle())[[TURNED.index(joint) for joint in _LIMBS[:, 0]]]
