# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures of the SMPL-X skeleton: 55 joints, and a bone `root` above the pelvis at the armature's origin.

Every bone's tail is its head plus one constant vector along y, and its roll is zero. So the rest frame of every bone is
the SMPL-X frame, and an axis-angle vector of the model is the bone's rotation as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import bpy
import numpy as np

from ...engine.contract.skeleton import JOINT_NAMES, PARENTS
from ..blender import coordinates, turns

ROOT_BONE = "root"

_TAIL = (0.0, 0.05, 0.0)
"""Meters from every bone's head to its tail. Its direction is what makes the rest frames those of SMPL-X."""


def create(name: str, rest_joints: np.ndarray, bone_names: Mapping[str, str] | None = None) -> bpy.types.Object:
    """A new armature object, in no collection yet, with (55, 3) rest joints in meters in the body frame.

    `bone_names` has the names of bones that are called otherwise than their joint, or than `root`.
    """
    called = bone_names or {}
    data = bpy.data.armatures.new(name)
    data.display_type = "WIRE"  # thin: sticks end in dots, which at some distance cover the hands
    # The object comes first, for leaving edit mode makes the pose of every object that has this armature.
    item = bpy.data.objects.new(name, data)
    item.rotation_mode = "QUATERNION"
    item.rotation_quaternion = coordinates.body_to_root_quaternion()
    with edit_mode(data):
        root = data.edit_bones.new(called.get(ROOT_BONE, ROOT_BONE))
        root.tail = _TAIL
        root.use_deform = False
        bones: list[bpy.types.EditBone] = []
        for joint, joint_name in enumerate(JOINT_NAMES):
            bone = data.edit_bones.new(called.get(joint_name, joint_name))
            bone.parent = root if PARENTS[joint] < 0 else bones[PARENTS[joint]]
            bones.append(bone)
        _place(bones, rest_joints)
    return item


def set_rest_joints(item: bpy.types.Object, rest_joints: np.ndarray) -> None:
    """Move the rest bones of an armature to (55, 3) joints, meters, body frame. Poses and keys stay as they are."""
    with edit_mode(item.data):
        _place([item.data.edit_bones[name] for name in JOINT_NAMES], rest_joints)


def rest_joints(item: bpy.types.Object) -> np.ndarray:
    """(55, 3) rest positions of the joints, meters, body frame."""
    return np.array([item.data.bones[name].head_local for name in JOINT_NAMES], dtype=np.float64)


def _place(bones: list[bpy.types.EditBone], joints: np.ndarray) -> None:
    for bone, joint in zip(bones, joints, strict=True):
        bone.head = joint
        bone.tail = joint + _TAIL
        bone.roll = 0.0


@contextmanager
def edit_mode(data: bpy.types.Armature) -> Iterator[None]:
    """Edit an armature's bones without touching what the user has active, selected or in edit mode.

    Rest bones can only be changed in edit mode, which belongs to a scene's active object: a scene and an object of
    their own, for a millisecond, leave the user's alone. They also leave out the animation, which Blender would copy.
    """
    scene = bpy.data.scenes.new("Human3R armature")
    item = bpy.data.objects.new(data.name, data)
    try:
        scene.collection.objects.link(item)
        layer = scene.view_layers[0]
        layer.objects.active = item
        override = bpy.context.temp_override(scene=scene, view_layer=layer, active_object=item, object=item)
        with turns.operators_allowed(), override:
            bpy.ops.object.mode_set(mode="EDIT")
            yield
            bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        bpy.data.scenes.remove(scene)
        bpy.data.objects.remove(item)
