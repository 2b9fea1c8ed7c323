# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion of a person in the scene, in world space at any frames: what is put on a character.

A person's armature whose bones are moved by F-curves alone is computed in arrays. One with constraints, NLA strips or a
moving parent is evaluated by Blender, once per frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...engine.contract.errors import UserError
from ...engine.contract.rotations import quaternion_to_matrix
from ...engine.contract.skeleton import BODY_JOINT_COUNT, JOINT_NAMES, PARENTS
from ..blender import keyframes
from ..blender.evaluation import bone_matrices, evaluating, world_matrix
from ..blender.vectors import nearest_rotation, transposed

_SUFFIXES = ("", "_smplhf")
"""The second is what some tools add to the names of the eyes."""
_PLACING = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale", "delta_location")


@dataclass(frozen=True)
class SourceMotion:
    """T frames of a figure of 55 joints; joints that the armature lacks move with their parents."""

    frames: np.ndarray
    """(T,) scene frames."""
    turns: np.ndarray
    """(T, 55, 3, 3) world rotations from the rest pose."""
    joints: np.ndarray
    """(T, 55, 3) world positions."""
    rest: np.ndarray
    """(55, 3) world positions in the rest pose, the armature where it is at the first frame."""
    up: np.ndarray
    """(3,) the rest figure's way up, in the world."""
    present: np.ndarray
    """(55,) which joints the armature has."""


def is_person(item: bpy.types.Object | None) -> bool:
    """Whether an object is an armature with the joints of a body."""
    return (
        item is not None
        and item.type == "ARMATURE"
        and all(name in item.data.bones for name in JOINT_NAMES[:BODY_JOINT_COUNT])
    )


def frames_of(item: bpy.types.Object) -> tuple[float, float]:
    """First and last scene frame that a person's motion has keys at. Raises UserError (``source-not-animated``)."""
    ranges = [(strip.frame_start, strip.frame_end) for strip in _strips(item)]
    paths = {_path(item.pose.bones[name], "rotation_quaternion") for name in JOINT_NAMES if name in item.pose.bones}
    ranges += [
        tuple(curve.range())
        for (path, _), curve in keyframes.curves(item).items()
        if path in paths and len(curve.keyframe_points)
    ]
    if not ranges:
        raise UserError(
            "source-not-animated",
            f"{item.name} does not move: it has no keys.",
            "Choose a person that Human3R made, or give this armature its Action.",
        )
    return min(first for first, _ in ranges), max(last for _, last in ranges)


@dataclass(frozen=True)
class BonePoses:
    """The bones of a person at T frames, as the armature has them."""

    poses: np.ndarray
    """(T, 55, 4, 4) in the armature's space; joints that the armature lacks are the nearest of their parents."""
    worlds: np.ndarray
    """(T, 4, 4) the armature object in the world."""
    rest: np.ndarray
    """(55, 4, 4) the bones at rest, in the armature's space."""
    present: np.ndarray
    """(55,) which joints the armature has."""


def sample(item: bpy.types.Object, scene: bpy.types.Scene, frames: np.ndarray) -> SourceMotion:
    """The motion of a person at (T,) scene frames. Raises UserError (``source-not-a-person``)."""
    bones = sample_bones(item, scene, frames)
    poses, worlds, rest = bones.poses, bones.worlds, bones.rest
    turn = nearest_rotation(worlds[:, None, :3, :3])
    turns = turn @ nearest_rotation(poses[..., :3, :3]) @ transposed(rest[:, :3, :3]) @ turn[0].swapaxes(-1, -2)
    joints = np.einsum("tij,tbj->tbi", worlds[:, :3, :3], poses[..., :3, 3]) + worlds[:, None, :3, 3]
    rest_joints = rest[:, :3, 3] @ worlds[0, :3, :3].T + worlds[0, :3, 3]
    return SourceMotion(frames, turns, joints, rest_joints, upright(rest_joints, turn[0, 0]), bones.present)


def sample_bones(item: bpy.types.Object, scene: bpy.types.Scene, frames: np.ndarray) -> BonePoses:
    """The bones of a person at (T,) scene frames. Raises UserError (``source-not-a-person``)."""
    if not is_person(item):
        raise UserError(
            "source-not-a-person",
            f"{item.name} has not the joints of a body.",
            "Choose a person's armature, which has bones called pelvis, left_hip, spine1 and so on.",
        )
    names = [_bone_name(item, name) for name in JOINT_NAMES]
    present = np.array([bool(name) for name in names])
    # the joint itself, or the nearest of its parents that is there
    stand_ins = [next(name for name in _line_up(names, joint) if name) for joint in range(len(names))]
    with evaluating(item, scene) as evaluation:
        if _is_plain(item):
            evaluated = evaluation.at(float(frames[0]))
            poses = _computed(item, stand_ins, frames)
            worlds = np.broadcast_to(world_matrix(evaluated), (len(frames), 4, 4))
        else:
            poses, worlds = np.empty((len(frames), len(names), 4, 4)), np.empty((len(frames), 4, 4))
            for row, frame in enumerate(frames.tolist()):
                evaluated = evaluation.at(frame)
                poses[row], worlds[row] = bone_matrices(evaluated, stand_ins), world_matrix(evaluated)
    rest = np.array([item.data.bones[name].matrix_local for name in stand_ins], dtype=np.float64)
    return BonePoses(poses, worlds, rest, present)


def upright(rest_joints: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(3,) the way up of a figure at rest: the axis of its armature that runs nearest from the feet to the head.

    `rest_joints` (N, 3) start with the pelvis and hold what is above and below; see `calibration.Figure` for its use.
    `axes` (3, 3) has the armature's axes in its columns.
    """
    spread = rest_joints[JOINT_NAMES.index("neck")] - rest_joints[
        [JOINT_NAMES.index("left_ankle"), JOINT_NAMES.index("right_ankle")]
    ].mean(axis=0)
    return nearest_axis(spread, axes)


def nearest_axis(direction: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(3,) that column of (3, 3) `axes`, or its opposite, which is nearest to a direction."""
    along = direction @ axes
    axis = int(np.argmax(np.abs(along)))
    return axes[:, axis] * np.sign(along[axis])


def _computed(item: bpy.types.Object, names: list[str], frames: np.ndarray) -> np.ndarray:
    """(T, len(names), 4, 4) poses in the armature's space, from the F-curves."""
    curves = keyframes.curves(item)
    poses: dict[str, np.ndarray] = {}

    def values(bone: bpy.types.PoseBone, channel: str) -> np.ndarray:
        now = getattr(bone, channel)
        columns = [curves.get((_path(bone, channel), axis)) for axis in range(len(now))]
        return np.stack(
            [
                np.full(len(frames), now[axis]) if curve is None else keyframes.sample(curve, frames)
                for axis, curve in enumerate(columns)
            ],
            axis=-1,
        )

    def pose(bone: bpy.types.PoseBone) -> np.ndarray:
        if bone.name not in poses:
            own = np.tile(np.eye(4), (len(frames), 1, 1))
            own[:, :3, :3] = quaternion_to_matrix(values(bone, "rotation_quaternion"))
            own[:, :3, 3] = values(bone, "location")
            rest = np.array(bone.bone.matrix_local, dtype=np.float64)
            if bone.parent is None:
                poses[bone.name] = rest @ own
            else:
                before = np.linalg.inv(np.array(bone.parent.bone.matrix_local, dtype=np.float64)) @ rest
                poses[bone.name] = pose(bone.parent) @ before @ own
        return poses[bone.name]

    return np.stack([pose(item.pose.bones[name]) for name in names], axis=1)


def _is_plain(item: bpy.types.Object) -> bool:
    """Whether F-curves on quaternions and locations are all that moves the armature and its bones."""
    bones = item.pose.bones
    if any(
        bone.constraints
        or bone.rotation_mode != "QUATERNION"
        or bone.scale[:] != (1.0, 1.0, 1.0)
        or not bone.bone.use_local_location
        or not bone.bone.use_inherit_rotation
        for bone in bones
    ):
        return False
    if _strips(item) or (item.animation_data is not None and item.animation_data.drivers):
        return False
    if any(path.endswith("].scale") for path, _ in keyframes.curves(item)):
        return False
    above: bpy.types.Object | None = item
    while above is not None:
        placed = any(path.startswith(_PLACING) for path, _ in keyframes.curves(above))
        driven = above.animation_data is not None and bool(above.animation_data.drivers)
        if above.constraints or placed or (above is not item and (driven or _strips(above))):
            return False
        above = above.parent
    return True


def _strips(item: bpy.types.Object) -> list[bpy.types.NlaStrip]:
    data = item.animation_data
    if data is None or not data.use_nla:
        return []
    return [strip for track in data.nla_tracks if not track.mute for strip in track.strips if not strip.mute]


def _path(bone: bpy.types.PoseBone, channel: str) -> str:
    return f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].{channel}'


def _bone_name(item: bpy.types.Object, joint: str) -> str:
    return next((joint + suffix for suffix in _SUFFIXES if joint + suffix in item.pose.bones), "")


def _line_up(names: list[str], joint: int) -> list[str]:
    line = []
    while joint >= 0:
        line.append(names[joint])
        joint = PARENTS[joint]
    return line
