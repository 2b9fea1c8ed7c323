# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rig's controls hang together, learnt by moving them.

Between a control and the one that it follows a rig may have any number of helper bones, constraints and drivers.
Instead of knowing each rig's mechanics, the controls are turned at random, Blender evaluates the rig, and each control
is seen to follow the armature itself or another control. From then on keys for any number of frames are a matter of
arrays.

A control's MOTION is its pose times the inverse of its rest pose, in the armature's space: the identity at rest. A
control that follows another has, before its own keys, the other's motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Quaternion

from ....engine.contract import rotations
from ....engine.contract.errors import UserError
from ...blender.evaluation import Evaluation, bone_matrices
from ...blender.vectors import nearest_rotation, transposed, turned

_PROBES = 5
_ANGLE = 0.35
"""Radians that controls are turned by to see what follows what: far enough to tell, near enough for any joint."""
_SAME = 1e-3
"""Radians, and shares of the rig's size, up to which one motion counts as that of another."""

ARMATURE = -1
"""Stands for the armature itself where another control's index is expected."""


@dataclass(frozen=True)
class ControlModel:
    """C controls; all arrays are in the armature's space."""

    names: tuple[str, ...]
    rest: np.ndarray
    """(C, 4, 4) poses while every bone's own transform is at rest."""
    turn_anchors: tuple[int, ...]
    """By control, whose rotation its own follows: another control's, or `ARMATURE`."""
    place_anchors: tuple[int, ...]
    """By control, what its head follows."""
    own_axes: np.ndarray
    """(C,) whether location keys are along the control's own axes and not along the armature's."""
    loose: tuple[str, ...]
    """Controls whose rotation follows none exactly, so that their keys are approximate."""

    def heads(self, motions: np.ndarray, order: Sequence[int], root: int, root_heads: np.ndarray) -> np.ndarray:
        """(T, C, 3) where the heads are without location keys on any but the root control.

        `motions` is (T, C, 3, 3), the rotation of each control's motion, `root_heads` (T, 3), `order` that of `order`.
        """
        heads = np.empty((len(motions), len(self.names), 3))
        for control in order:
            heads[:, control] = root_heads if control == root else self._carried(control, motions, heads)
        return heads

    def order(self) -> list[int]:
        """Controls, each after what its head follows. Raises UserError where they go in a circle."""
        return _sorted_by(self.place_anchors, self.names)

    def carried_by(self, root: int, order: Sequence[int]) -> np.ndarray:
        """(C,) bool: what moves along where the root control is moved."""
        moves = np.zeros(len(self.names), dtype=bool)
        for control in order:
            anchor = self.place_anchors[control]
            moves[control] = control == root or (anchor != ARMATURE and moves[anchor])
        return moves

    def basis_rotations(self, motions: np.ndarray) -> np.ndarray:
        """(T, C, 3, 3) rotation keys that give the controls (T, C, 3, 3) motions."""
        rest = nearest_rotation(self.rest[:, :3, :3])
        before = np.stack([_followed(motions, anchor) for anchor in self.turn_anchors], axis=1)
        return transposed(rest) @ transposed(before) @ motions @ rest

    def basis_location(self, control: int, motions: np.ndarray, heads: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """(T, 3) location keys that put a control's head to (T, 3) `wanted`.

        `heads` (T, C, 3) are those of the controls it may follow.
        """
        offset = wanted - self._carried(control, motions, heads)
        axes = _followed(motions, self.turn_anchors[control])
        if self.own_axes[control]:
            axes = axes @ self.rest[control, :3, :3]
        return turned(np.linalg.inv(axes), offset)

    def _carried(self, control: int, motions: np.ndarray, heads: np.ndarray) -> np.ndarray:
        """(T, 3) where a control's head is without location keys of its own."""
        rest, anchor = self.rest[:, :3, 3], self.place_anchors[control]
        if anchor == ARMATURE:
            return np.broadcast_to(rest[control], (len(motions), 3))
        return heads[:, anchor] + turned(motions[:, anchor], rest[control] - rest[anchor])


def learn(item: bpy.types.Object, evaluation: Evaluation, names: Sequence[str], moved: Sequence[str]) -> ControlModel:
    """See what follows what among the controls `names` of a rig that is at rest (`evaluation.at_rest`).

    `moved` names the controls that will get location keys; they are displaced as well.
    """
    random = np.random.default_rng(0)
    bones = [item.pose.bones[name] for name in names]
    rest = bone_matrices(evaluation.update(), names)
    inverse = np.linalg.inv(rest)
    own_axes = np.array([bone.bone.use_local_location for bone in bones])
    size = max(float(np.ptp(rest[:, :3, 3], axis=0).max()), 1e-6)
    motions, before, places = [], [], []
    for _ in range(_PROBES):
        turns = rotations.axis_angle_to_quaternion(_ANGLE * _directions(random, len(names)))
        shifts = 0.1 * size * random.uniform(-1, 1, (len(names), 3)) * np.array([[name in moved] for name in names])
        for bone, turn, shift in zip(bones, turns, shifts, strict=True):
            bone.matrix_basis = Matrix.LocRotScale(shift, Quaternion(turn), None)
        poses = bone_matrices(evaluation.update(), names)
        # what was really set: a control may keep some of its channels locked by a limit of its rotation mode
        own = np.array([bone.matrix_basis for bone in bones], dtype=np.float64)
        motion = poses @ inverse
        followed = nearest_rotation(poses[:, :3, :3] @ transposed(own[:, :3, :3]) @ inverse[:, :3, :3])
        axes = np.where(own_axes[:, None, None], followed @ rest[:, :3, :3], followed)
        motions.append(motion)
        before.append(followed)
        places.append(poses[:, :3, 3] - turned(axes, own[:, :3, 3]))
    for bone in bones:
        bone.matrix_basis = Matrix()
    turning = np.stack(motions)
    turning[..., :3, :3] = nearest_rotation(turning[..., :3, :3])
    found = [
        _anchors_of(
            control, turning, np.stack(before)[:, control], np.stack(places)[:, control], rest[control, :3, 3], size
        )
        for control in range(len(names))
    ]
    return ControlModel(
        tuple(names), rest, tuple(turn for turn, _, _ in found), tuple(place for _, place, _ in found), own_axes,
        tuple(name for name, (_, _, exact) in zip(names, found, strict=True) if not exact),
    )  # fmt: skip


def _anchors_of(
    control: int,
    motions: np.ndarray,
    turn: np.ndarray,
    place: np.ndarray,
    rest: np.ndarray,
    size: float,
) -> tuple[int, int, bool]:
    """What one control's rotation and its head follow, and whether the rotation does so exactly.

    (P, C, 4, 4) motions of all controls; (P, 3, 3) rotation and (P, 3) head of this one before its own keys.
    """
    still = np.tile(np.eye(4), (len(motions), 1, 1, 1))
    candidates = np.concatenate([motions, still], axis=1)  # the last is the armature, as index -1 says
    # of a small rotation the norm of the matrices' difference is sqrt(2) times its angle
    turn_errors = np.linalg.norm(candidates[..., :3, :3] - turn[:, None], axis=(-2, -1)).max(axis=0) / np.sqrt(2)
    heads = candidates[..., :3, :3] @ rest + candidates[..., :3, 3]
    head_errors = np.linalg.norm(heads - place[:, None], axis=-1).max(axis=0) / size
    turn_errors[control] = head_errors[control] = np.inf
    if head_errors.min() > _SAME:
        # Not among those that may follow it, lest they go in a circle: controls are listed from the trunk outwards.
        head_errors[control:-1] = np.inf
    return _best(turn_errors), _best(head_errors), bool(turn_errors.min() <= _SAME)


def _best(errors: np.ndarray) -> int:
    """The nearest candidate; the armature itself where that is as good, for nothing is simpler."""
    return ARMATURE if errors[ARMATURE] <= _SAME else _as_anchor(int(np.argmin(errors)), len(errors))


def _as_anchor(candidate: int, count: int) -> int:
    return ARMATURE if candidate == count - 1 else candidate


def _followed(motions: np.ndarray, anchor: int) -> np.ndarray:
    """(T, 3, 3) motion that a control has before its own keys."""
    return np.broadcast_to(np.eye(3), (len(motions), 3, 3)) if anchor == ARMATURE else motions[:, anchor]


def _sorted_by(anchors: Sequence[int], names: Sequence[str]) -> list[int]:
    order: list[int] = []
    left = set(range(len(names)))
    while left:
        ready = [control for control in sorted(left) if anchors[control] not in left]
        if not ready:
            circle = ", ".join(names[control] for control in sorted(left))
            raise UserError(
                "rig-circular",
                "These controls depend on each other in a loop: {names}.",
                "Remove one of them from the list of bones.",
                names=circle,
            )
        order += ready
        left -= set(ready)
    return order


def _directions(random: np.random.Generator, count: int) -> np.ndarray:
    vectors = random.normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
