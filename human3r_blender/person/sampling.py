# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion of a person in the scene, in world space at any frames: what exports write and characters are given.

A person's armature whose bones are moved by F-curves alone is computed in arrays. One with constraints, NLA strips or a
moving parent is evaluated by Blender, once per frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import bpy
import numpy as np

from ...engine.contract.errors import UserError
from ...engine.contract.rotations import matrix_to_quaternion, quaternion_to_matrix
from ...engine.contract.skeleton import BODY_JOINT_COUNT, JOINT_NAMES, PARENTS, PELVIS
from ...engine.motion.body_motion import BodyMotion
from ..blender import keyframes
from ..blender.evaluation import bone_matrices, evaluating, world_matrix
from ..blender.slices import Slices, sliceable
from ..blender.vectors import nearest_rotation, transposed
from . import body_mesh

_SUFFIXES = ("", "_smplhf")
"""The second is what some tools add to the names of the eyes."""
_UNEVEN = 1e-3
"""Part of the scale by which the axes' scales may differ."""
_PLACING = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale", "delta_location")


@dataclass(frozen=True)
class Sample:
    """A person at T scene frames, as all constraints and parents have it; joints that the armature lacks move with the
    nearest of their parents.
    """

    frames: np.ndarray
    """(T,) scene frames."""
    bones: np.ndarray
    """(T, 55, 4, 4) poses in the armature's space."""
    worlds: np.ndarray
    """(T, 4, 4) the armature object in the world."""
    rest_bones: np.ndarray
    """(55, 4, 4) the bones at rest, in the armature's space."""
    present: np.ndarray
    """(55,) which joints the armature has."""

    @cached_property
    def joints(self) -> np.ndarray:
        """(T, 55, 3) world positions."""
        placed = np.einsum("tij,tbj->tbi", self.worlds[:, :3, :3], self.bones[..., :3, 3])
        return placed + self.worlds[:, None, :3, 3]

    @cached_property
    def turns(self) -> np.ndarray:
        """(T, 55, 3, 3) world rotations from the rest pose."""
        turn = nearest_rotation(self.worlds[:, None, :3, :3])
        turned = turn @ nearest_rotation(self.bones[..., :3, :3])
        return turned @ transposed(self.rest_bones[:, :3, :3]) @ turn[0].swapaxes(-1, -2)

    @cached_property
    def rest(self) -> np.ndarray:
        """(55, 3) world positions in the rest pose, the armature where it is at the first frame."""
        return self.rest_bones[:, :3, 3] @ self.worlds[0, :3, :3].T + self.worlds[0, :3, 3]

    @cached_property
    def up(self) -> np.ndarray:
        """(3,) the rest figure's way up, in the world."""
        return upright(self.rest, nearest_rotation(self.worlds[0, :3, :3]))


def has_body_joints(item: bpy.types.Object | None) -> bool:
    """Whether an object is an armature with the joints of a body."""
    return (
        item is not None
        and item.type == "ARMATURE"
        and all(name in item.data.bones for name in JOINT_NAMES[:BODY_JOINT_COUNT])
    )


def frames_of(item: bpy.types.Object) -> tuple[float, float]:
    """First and last scene frame that a person's motion has keys at. Raises UserError (``source-not-animated``)."""
    ranges = [(strip.frame_start, strip.frame_end) for strip in keyframes.playing_strips(item)]
    paths = {_path(item.pose.bones[name], "rotation_quaternion") for name in JOINT_NAMES if name in item.pose.bones}
    ranges += [
        tuple(curve.range())
        for (path, _), curve in keyframes.curves(item).items()
        if path in paths and keyframes.count(curve)
    ]
    if not ranges:
        raise UserError(
            "source-not-animated",
            "{name} does not move, because it has no keys.",
            "Choose a person made by Human3R, or assign this armature its Action.",
            name=item.name,
        )
    return min(first for first, _ in ranges), max(last for _, last in ranges)


@sliceable
def sample(item: bpy.types.Object, scene: bpy.types.Scene, frames: np.ndarray) -> Slices[Sample]:
    """A person at (T,) scene frames.

    Raises UserError (``source-not-a-person``, ``armature-edited``, ``armature-at-rest``).
    """
    if not has_body_joints(item):
        raise UserError(
            "source-not-a-person",
            "{name} does not have the bones of a body.",
            "Choose the armature of a person, with bones named pelvis, left_hip, spine1 and so on.",
            name=item.name,
        )
    names = [_bone_name(item, name) for name in JOINT_NAMES]
    present = np.array([bool(name) for name in names])
    # the joint itself, or the nearest of its parents that is there
    stand_ins = [next(name for name in _line_up(names, joint) if name) for joint in range(len(names))]
    with evaluating(item, scene) as evaluation:
        if _is_plain(item):
            evaluated = evaluation.at(float(frames[0]))
            poses = yield from _computed(item, stand_ins, frames)
            worlds = np.broadcast_to(world_matrix(evaluated), (len(frames), 4, 4))
        else:
            poses, worlds = np.empty((len(frames), len(names), 4, 4)), np.empty((len(frames), 4, 4))
            for row, frame in enumerate(frames.tolist()):
                evaluated = evaluation.at(frame)
                poses[row], worlds[row] = bone_matrices(evaluated, stand_ins), world_matrix(evaluated)
                yield None
    rest = np.array([item.data.bones[name].matrix_local for name in stand_ins], dtype=np.float64)
    return Sample(frames, poses, worlds, rest, present)


def body_motion(item: bpy.types.Object, sample: Sample, time_s: np.ndarray) -> tuple[BodyMotion, float]:
    """A sampled person as the motion of a body in the world, as large as in the scene, and how much larger that is than
    the body itself. (T,) `time_s` are the motion's own times. Raises UserError (``scaled-unevenly``).
    """
    scale = _scale(item, sample.worlds)
    turn = sample.worlds[:, :3, :3] / scale
    # Where the bones' rest frames are the body's own, the last factor is nothing; it says what is meant.
    turned = turn[:, None] @ sample.bones[..., :3, :3] @ transposed(sample.rest_bones[:, :3, :3])
    local = turned.copy()
    children = range(1, len(PARENTS))
    local[:, children] = transposed(turned[:, [PARENTS[joint] for joint in children]]) @ turned[:, children]
    rest = scale * sample.rest_bones[:, :3, 3]
    return BodyMotion.make(time_s, matrix_to_quaternion(local), sample.joints[:, PELVIS], rest), scale


def key_values(mesh: bpy.types.Object | None, frames: np.ndarray) -> dict[str, np.ndarray]:
    """(T,) values, at (T,) scene frames, of each shape key of a person that is animated or shows an expression."""
    if mesh is None or mesh.data.shape_keys is None:
        return {}
    curves = keyframes.curves(mesh.data.shape_keys)
    values = {}
    for key in mesh.data.shape_keys.key_blocks:
        curve = curves.get((body_mesh.value_path(key.name), 0))
        if curve is not None and len(curve.keyframe_points):
            values[key.name] = keyframes.sample(curve, frames)
        elif key.name in body_mesh.EXPRESSION_KEYS and key.value:
            values[key.name] = np.full(len(frames), key.value)
    return values


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


def _scale(item: bpy.types.Object, worlds: np.ndarray) -> float:
    scales = np.linalg.norm(worlds[:, :3, :3], axis=1)
    scale = float(np.cbrt(np.linalg.det(worlds[0, :3, :3])))
    right_angles = np.einsum("tij,tik->tjk", worlds[:, :3, :3], worlds[:, :3, :3]) / scale**2
    if not (scale > 0 and np.ptp(scales) <= _UNEVEN * scale and np.abs(right_angles - np.eye(3)).max() <= 3 * _UNEVEN):
        raise UserError(
            "scaled-unevenly",
            "{name} is mirrored, or its scale differs between axes or changes over time, which no skeleton can follow.",
            "Give the person and its parent the same scale on all axes, without keys.",
            name=item.name,
        )
    return scale


def _computed(item: bpy.types.Object, names: list[str], frames: np.ndarray) -> Slices[np.ndarray]:
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

    for name in names:
        pose(item.pose.bones[name])
        yield None
    return np.stack([poses[name] for name in names], axis=1)


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
    if keyframes.playing_strips(item) or (item.animation_data is not None and item.animation_data.drivers):
        return False
    if any(path.endswith("].scale") for path, _ in keyframes.curves(item)):
        return False
    above: bpy.types.Object | None = item
    while above is not None:
        placed = any(path.startswith(_PLACING) for path, _ in keyframes.curves(above))
        driven = above.animation_data is not None and bool(above.animation_data.drivers)
        if above.constraints or placed or (above is not item and (driven or keyframes.playing_strips(above))):
            return False
        above = above.parent
    return True


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
