# SPDX-License-Identifier: GPL-3.0-or-later
"""A transferred motion becomes keys of a new Action, in bulk."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Euler, Matrix, Quaternion

from ....engine.contract import rotations
from ...blender import evaluation, keyframes
from ...blender.slices import GOES_ON, Slices, to_its_end
from .character import Character
from .transfer import Transfer


def bake(
    item: bpy.types.Object,
    name: str,
    frames: np.ndarray,
    character: Character,
    transfer: Transfer,
    switches: Sequence[tuple[str, str, float]],
) -> Slices[bpy.types.Action]:
    """Give a character a new Action called `name` with keys at (T,) scene frames.

    The Action that it had stays in the file. The rig's own pose is put to rest, so that bones without keys are at
    rest; `switches`, (bone, property, value), are keyed at the first frame and so leave with the Action.
    """
    previous = item.animation_data.action if item.animation_data else None
    if previous is not None and previous.library is None:
        previous.use_fake_user = True
    for bone in item.pose.bones:
        bone.matrix_basis = Matrix()
    action = keyframes.animate(item, name)
    model = character.model
    turns = model.basis_rotations(transfer.motions)
    poles = {controls.pole for controls in character.ik.values()}
    placed = {character.root, character.root_motion} | poles | {controls.target for controls in character.ik.values()}
    for control, bone_name in enumerate(model.names):
        bone = item.pose.bones[bone_name]
        if control in placed:
            location = model.basis_location(control, transfer.motions, transfer.heads, transfer.heads[:, control])
            _write(item, bone, "location", frames, location)
        if control not in poles:
            channel, values = _rotation_channel(bone, turns[:, control])
            _write(item, bone, channel, frames, values)
        yield GOES_ON
    for bone_name, property_name, value in switches:
        path = evaluation.property_path(property_name)
        _write(item, item.pose.bones[bone_name], path, frames[:1], np.array([[value]]))
    yield from to_its_end(keyframes.settle(lambda: item))
    return action


def _rotation_channel(bone: bpy.types.PoseBone, turns: np.ndarray) -> tuple[str, np.ndarray]:
    """The property that a bone's rotation is read from, and (T, components) values for (T, 3, 3) rotations."""
    quaternions = rotations.continuous_quaternions(rotations.matrix_to_quaternion(turns))
    if bone.rotation_mode == "QUATERNION":
        return "rotation_quaternion", quaternions
    if bone.rotation_mode == "AXIS_ANGLE":
        vectors = rotations.quaternion_to_axis_angle(quaternions)
        angles = np.linalg.norm(vectors, axis=-1, keepdims=True)
        axes = np.where(angles > 1e-9, vectors / np.maximum(angles, 1e-9), [0.0, 1.0, 0.0])
        return "rotation_axis_angle", np.concatenate([angles, axes], axis=-1)
    eulers, before = [], Euler((0.0, 0.0, 0.0), bone.rotation_mode)
    for quaternion in quaternions.tolist():
        before = Quaternion(quaternion).to_euler(bone.rotation_mode, before)
        eulers.append(tuple(before))
    return "rotation_euler", np.array(eulers)


def _write(
    item: bpy.types.Object,
    bone: bpy.types.PoseBone,
    channel: str,
    frames: np.ndarray,
    values: np.ndarray,
) -> None:
    """Keys of (T, components) values on one property of a bone: its own by a path, or a custom one in brackets."""
    start = "" if channel.startswith("[") else "."
    path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"]{start}{channel}'
    kinds = np.full(len(frames), keyframes.LINEAR, dtype=np.uint8)
    for axis, curve in enumerate(keyframes.add_curves(item, path, values.shape[1], bone.name)):
        keyframes.append(curve, frames, values[:, axis], kinds)
