# SPDX-License-Identifier: GPL-3.0-or-later
"""People's bones as limbs that one can grab: drawn from joint to child, in groups, in a color for each side.

The bones themselves stay as they are, all of one length and direction, because motions and exports are in their frames.
What is drawn of a bone is an object of Blender's custom shapes, turned and stretched for each bone. All people share
one set of these objects, which are in no scene.
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Euler, Vector

from ...engine.contract.skeleton import BODY_JOINT_COUNT, HEAD, JAW, JOINT_NAMES, LEFT_EYE, PARENTS, RIGHT_EYE
from ..blender import tags
from .armature import ROOT_BONE

COLLECTIONS = ("Body", "Hands", "Face", "Root")
"""Names of the bone collections."""
PALETTES = {"left": "THEME04", "right": "THEME01", "": "THEME09"}
"""Blender's bone colors by side: blue, red and, in the middle, yellow."""

_LIMB, _RING = "Human3R limb", "Human3R ring"
_HEAD_END, _FACE_END = (0.0, 0.18, 0.02), (0.0, 0.0, 0.06)
"""Meters from the head's joint to the top of the head, and from a joint of the face to before it, body frame."""
_TIP_SHARE = 0.8
"""Length of a finger's last bone, or of a foot's, as a share of the bone before it."""
_WIDTH_SHARE, _MOST_WIDTH_M = 0.16, 0.05
"""Width of a limb as a share of its length, and at most."""
_RING_M = 0.2


def side(joint: str) -> str:
    """Which side of the body a joint is on: `left`, `right`, or empty for the middle."""
    return next((name for name in ("left", "right") if joint.startswith(f"{name}_")), "")


def group(joint: int) -> str:
    """Name of the bone collection of a joint."""
    if joint < BODY_JOINT_COUNT:
        return "Body"
    return "Face" if joint in (JAW, LEFT_EYE, RIGHT_EYE) else "Hands"


def ends(rest_joints: np.ndarray) -> np.ndarray:
    """(55, 3) where the limbs of (55, 3) joints end, meters, body frame: at the middle child, or where none is, ahead.

    The middle child is that in the line of the body or the middle finger; the pelvis' is the spine.
    """
    found = np.array(rest_joints, dtype=np.float64)
    for joint, child in enumerate(_MIDDLE_CHILD):
        if child >= 0:
            found[joint] = rest_joints[child]
        elif joint == HEAD:
            found[joint] += _HEAD_END
        elif group(joint) == "Face":
            found[joint] += _FACE_END
        else:
            found[joint] += _TIP_SHARE * (rest_joints[joint] - rest_joints[PARENTS[joint]])
    return found


def dress(item: bpy.types.Object, rest_joints: np.ndarray) -> None:
    """Draw the bones of a person's armature, with (55, 3) rest joints, as limbs; again after these have moved."""
    data, is_first = item.data, not is_dressed(item)
    homes = {name: data.collections.get(name) or data.collections.new(name) for name in COLLECTIONS}
    limb, ring = _shape(_LIMB), _shape(_RING)
    for joint, (name, way) in enumerate(zip(JOINT_NAMES, ends(rest_joints) - rest_joints, strict=True)):
        if name in item.pose.bones:
            length = float(np.linalg.norm(way))
            width = min(_WIDTH_SHARE * length, _MOST_WIDTH_M)
            turn = Vector((0.0, 1.0, 0.0)).rotation_difference(Vector(way)).to_euler()
            _draw_as(item.pose.bones[name], limb, (width, length, width), turn)
            _sort(data.bones[name], homes[group(joint)], side(name))
    if ROOT_BONE in item.pose.bones:
        _draw_as(item.pose.bones[ROOT_BONE], ring, (_RING_M,) * 3, Euler())
        _sort(data.bones[ROOT_BONE], homes["Root"], "")
    if is_first:
        data.show_bone_custom_shapes = False  # until somebody poses: `show`


def follow(item: bpy.types.Object, rest_joints: np.ndarray) -> None:
    """Have the limbs of a person, if the bones are drawn as such, lead to (55, 3) new rest joints."""
    if is_dressed(item):
        dress(item, rest_joints)


def is_dressed(item: bpy.types.Object) -> bool:
    """Whether a person's bones are drawn as limbs."""
    return any(_is_shape(bone.custom_shape) for bone in item.pose.bones)


def show(item: bpy.types.Object, shown: bool) -> None:
    """Draw a person's limbs, in front of the body, or the thin bones in it."""
    if item.library is None and item.data.library is None and is_dressed(item):
        for block, name in ((item, "show_in_front"), (item.data, "show_bone_custom_shapes")):
            if getattr(block, name) != shown:  # what is set is evaluated anew
                setattr(block, name, shown)


def remove_unused() -> None:
    """Remove the shapes that nobody is drawn with any more."""
    unused = [item for name in (_LIMB, _RING) for item in _called(name) if not item.users]
    meshes = [item.data for item in unused]
    bpy.data.batch_remove(unused)
    bpy.data.batch_remove([mesh for mesh in meshes if not mesh.users])


def _called(name: str) -> list[bpy.types.Object]:
    """The shapes of this name, whatever Blender has put after it."""
    return [item for key, item in bpy.data.objects.items() if key.startswith(name) and _is_shape(item)]


def _is_shape(item: bpy.types.Object | None) -> bool:
    return item is not None and tags.text(item, tags.ROLE) == tags.BONE_SHAPE


def _middle_children() -> tuple[int, ...]:
    """For each joint the child that its limb leads to; -1 where none does."""
    named = {"pelvis": "spine1", "spine3": "neck", "head": ""}
    named |= {f"{hand}_wrist": f"{hand}_middle1" for hand in ("left", "right")}
    children = [[child for child, parent in enumerate(PARENTS) if parent == joint] for joint in range(len(PARENTS))]
    return tuple(
        (JOINT_NAMES.index(named[name]) if named[name] else -1) if name in named else (own[0] if own else -1)
        for name, own in zip(JOINT_NAMES, children, strict=True)
    )


_MIDDLE_CHILD = _middle_children()


def _draw_as(bone: bpy.types.PoseBone, shape: bpy.types.Object, size: tuple[float, float, float], turn: Euler) -> None:
    bone.custom_shape, bone.use_custom_shape_bone_size = shape, False
    bone.custom_shape_scale_xyz, bone.custom_shape_rotation_euler = size, turn


def _sort(bone: bpy.types.Bone, home: bpy.types.BoneCollection, which: str) -> None:
    home.assign(bone)
    bone.color.palette = PALETTES[which]


def _shape(name: str) -> bpy.types.Object:
    """The shape called so, made where there is none: an octahedron one long along y, or a ring across it."""
    found = next((item for item in _called(name) if item.library is None), None)
    if found is not None:
        return found
    mesh = bpy.data.meshes.new(name)
    if name == _LIMB:
        corners = [(0, 0, 0), (0.5, 0.15, 0), (0, 0.15, 0.5), (-0.5, 0.15, 0), (0, 0.15, -0.5), (0, 1, 0)]
        sides = [(1, 2), (2, 3), (3, 4), (4, 1)]
        mesh.from_pydata(corners, [], [(end, *(side if end else side[::-1])) for side in sides for end in (0, 5)])
    else:
        angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        corners = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=-1).tolist()
        mesh.from_pydata(corners, [(corner, (corner + 1) % 32) for corner in range(32)], [])
    item = bpy.data.objects.new(name, mesh)
    item[tags.ROLE] = tags.BONE_SHAPE
    return item
