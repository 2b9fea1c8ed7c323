# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's keys as a motion to work on, and a motion back into keys. In bulk: Blender evaluates nothing.

The motion is in the body frame of the armature (`coordinates.py`), in the take's meters and in seconds from scene frame
0. What Blender makes of constraints, NLA strips and moving parents is in `sampling.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import bpy
import numpy as np
from mathutils import Matrix

from ...engine.contract.errors import UserError
from ...engine.contract.skeleton import JOINT_NAMES, PELVIS
from ...engine.motion.body_motion import BodyMotion
from ..blender import keyframes
from ..blender.slices import Slices, sliceable
from . import armature

LOCATION = f'pose.bones["{JOINT_NAMES[PELVIS]}"].location'
ROTATIONS = tuple(f'pose.bones["{name}"].rotation_quaternion' for name in JOINT_NAMES)

NAMES = (*((LOCATION, axis) for axis in range(3)), *((path, axis) for path in ROTATIONS for axis in range(4)))
"""The F-curves of a person's pose: three of the pelvis's place, then four for each joint's rotation."""

Keys = dict[keyframes.CurveName, tuple[np.ndarray, np.ndarray]]
"""Frames and values of the keys of some curves."""


@dataclass(frozen=True)
class KeyedMotion:
    """What a person's keys say, at every frame that has one."""

    frames: np.ndarray
    """(T,) scene frames, ascending."""
    motion: BodyMotion
    """The same T frames in the body frame."""


@sliceable
def motion_of_person(
    item: bpy.types.Object, rate: float, action: bpy.types.Action | None = None
) -> Slices[KeyedMotion]:
    """The keyed motion of a person's armature; `rate` is the scene's frames per second.

    `action` names another of the person's Actions than the one that plays. Raises UserError (``person-not-animated``).
    """

    def curves() -> keyframes.Curves:
        return keyframes.curves(item) if action is None else keyframes.curves_in(action, LOCATION)

    keys: Keys = {}
    for names in keyframes.slices(NAMES, keyframes.longest(curves())):
        keys |= read_keys(curves(), names)
        yield None
    frames, values = merge_keys(keys, curves())
    refuse_none(item, frames)
    yield None
    return keyed_motion(frames, values, rate, armature.rest_joints(item))


def motion_of_curves(item: bpy.types.Object, rate: float, curves: keyframes.Curves) -> KeyedMotion:
    """As :func:`motion_of_person`, from the F-curves themselves."""
    frames, values = merge_keys(read_keys(curves, NAMES), curves)
    refuse_none(item, frames)
    return keyed_motion(frames, values, rate, armature.rest_joints(item))


def refuse_none(item: bpy.types.Object, frames: np.ndarray) -> None:
    """Raises UserError (``person-not-animated``) where there are no keyed frames."""
    if not len(frames):
        raise UserError(
            "person-not-animated",
            "{name} has no keys.",
            "Choose a person made by Human3R, or assign the armature its Action.",
            name=item.name,
        )


def keyed_motion(frames: np.ndarray, values: np.ndarray, rate: float, rest: np.ndarray) -> KeyedMotion:
    """The motion of (T, 223) values at (T,) frames, for (55, 3) joints at rest. Numpy only: any thread may ask."""
    rotations = values[:, 3:].reshape(len(frames), len(JOINT_NAMES), 4)
    lengths = np.linalg.norm(rotations, axis=-1, keepdims=True)
    rotations = np.where(lengths > 0, rotations / np.maximum(lengths, 1e-12), (1.0, 0.0, 0.0, 0.0))
    return KeyedMotion(frames, BodyMotion.make(frames / rate, rotations, values[:, :3] + rest[PELVIS], rest))


def values_of(motion: BodyMotion) -> np.ndarray:
    """(T, 223) what the curves of `NAMES` have as values for a motion."""
    location = motion.pelvis - motion.rest_joints[PELVIS]
    return np.concatenate([location, motion.rotations.reshape(len(motion), -1)], axis=1)


def set_motion(
    curves: keyframes.Curves, names: Sequence[keyframes.CurveName], frames: np.ndarray, values: np.ndarray
) -> None:
    """Give the keys of some curves of `NAMES` other values: (T, 223) of `values_of`, at (T,) frames.

    Every key of theirs is at one of the frames; which keys there are stays.
    """
    for name in names:
        curve = curves.get(name)
        if curve is not None and len(curve.keyframe_points):
            keyframes.set_values(curve, partial(_at, frames, values[:, NAMES.index(name)]))


def _at(frames: np.ndarray, column: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Those of (T,) values at (T,) frames that are at the wanted frames."""
    found: np.ndarray = column[np.searchsorted(frames, wanted.astype(np.float64))]
    return found


def up_in_body(item: bpy.types.Object) -> np.ndarray:
    """(3,) unit vector in an armature's frame that points along the scene's z, as its parents stand now."""
    to_scene: Matrix = item.matrix_basis
    while item.parent is not None:
        to_scene = item.parent.matrix_basis @ item.matrix_parent_inverse @ to_scene
        item = item.parent
    up = np.array(to_scene.to_3x3(), dtype=np.float64)[2]
    return up / np.linalg.norm(up)


def read_keys(curves: keyframes.Curves, names: Sequence[keyframes.CurveName]) -> Keys:
    """Frames and values of those of the named curves that have keys."""
    return {name: keyframes.read(curves[name]) for name in names if name in curves and keyframes.count(curves[name])}


def merge_keys(keys: Keys, curves: keyframes.Curves) -> tuple[np.ndarray, np.ndarray]:
    """(T,) frames that have a key of the pose, and the (T, 223) values there; `keys` are those of the curves."""
    # Curves written together share their frames: only different ones are worth merging.
    different = {at.tobytes(): at for at, _ in keys.values()}
    frames = np.unique(np.concatenate(list(different.values()))) if keys else np.empty(0)
    values = np.zeros((len(frames), len(NAMES)))
    values[:, 3::4] = 1.0  # of a joint without keys
    for column, name in enumerate(NAMES):
        if name in keys and name in curves:
            at, found = keys[name]
            values[:, column] = found if len(at) == len(frames) else keyframes.sample(curves[name], frames)
    return frames.astype(np.float64), values
