# SPDX-License-Identifier: GPL-3.0-or-later
"""Which axis of a file points up: told by people, who are upright more often than not, on a floor. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....engine.contract.body_model import joint_transforms
from ....engine.contract.rotations import axis_angle_to_matrix
from ....engine.contract.skeleton import HEAD, LEFT_ANKLE, PELVIS, RIGHT_ANKLE
from .motion import TURNS, FoundPerson

_MOST_FRAMES = 1000
"""Of one person, spread over the motion."""
_UPRIGHT = 0.8
"""Cosine of the angle to an axis from which on a body stands along it."""
_LEAST = 0.02
"""Share of upright frames below which nobody stands along an axis."""
_CLEARER = 1.5
"""How much more often people must stand along the best axis than along the next."""
_RIVAL = 0.1
"""An axis along which people stand so much less often than along the best is none that could be meant."""
_STEADIER = 2.0
"""How much less the lowest joints must rise and fall for an axis to be the one of the floor."""
_STEADY_M = 0.05

UP = {name: turn.T @ np.array([0.0, 0.0, 1.0]) for name, turn in TURNS.items()}
"""(3,) what points up in the file, by the axis' name."""


def find_up_axis(people: Sequence[FoundPerson], rest_joints: np.ndarray) -> str:
    """``z``, ``y`` or ``-y`` (as in cameras' axes); empty where people do not tell.

    `rest_joints` is (55, 3), of any body. Who stands, stands along the vertical; who lies, may lie along another axis.
    Where people are along two axes, the floor tells them apart: along the vertical, the lowest joint stays as low.
    """
    joints = [_joints(person, rest_joints) for person in people]
    shares = {name: _upright_share(joints, axis) for name, axis in UP.items()}
    shares[min("y", "-y", key=lambda name: shares[name])] = 0.0  # who stands on the hands does so for less than half
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < _LEAST:
        return ""
    rivals = [name for name, share in shares.items() if share >= max(_LEAST, _RIVAL * shares[best])]
    unrest = {name: max(_STEADY_M, max(_unrest(rows @ UP[name]) for rows in joints)) for name in rivals}
    steady = min(rivals, key=lambda name: unrest[name])
    if all(unrest[name] >= _STEADIER * unrest[steady] for name in rivals if name != steady):
        return steady
    return best if all(shares[best] >= _CLEARER * shares[name] for name in shares if name != best) else ""


def _joints(person: FoundPerson, rest: np.ndarray) -> np.ndarray:
    """(N, 55, 3) in the file's world, of frames spread over the motion."""
    rows = np.unique(np.linspace(0, len(person.poses) - 1, _MOST_FRAMES).astype(int))
    local = joint_transforms(axis_angle_to_matrix(person.poses[rows]), rest)[..., :3, 3]
    local += (person.trans[rows] - rest[PELVIS] + person.pelvis_of(rest))[:, None]
    rotations, offsets = (
        np.broadcast_to(values, (len(person.poses), *values.shape[1:]))[rows]
        for values in (person.rotations, person.offsets)
    )
    return np.einsum("nij,nkj->nki", rotations, local) + offsets[:, None]


def _upright_share(joints: Sequence[np.ndarray], axis: np.ndarray) -> float:
    """In which share of the frames bodies stand along an axis."""
    along = np.concatenate([rows[:, HEAD] - (rows[:, LEFT_ANKLE] + rows[:, RIGHT_ANKLE]) / 2 for rows in joints])
    lengths = np.maximum(np.linalg.norm(along, axis=-1), 1e-9)
    return float((along @ axis / lengths > _UPRIGHT).mean())


def _unrest(heights: np.ndarray) -> float:
    """By how much the lowest of (N, 55) heights rises and falls, meters; single frames do not count."""
    low, high = np.percentile(heights.min(axis=1), (5, 95))
    return float(high - low)
