# SPDX-License-Identifier: GPL-3.0-or-later
"""A person of the scene as numbers, at the export's own rate: whatever Action is active, where the root has put it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import bpy
import numpy as np

from ....engine.contract.errors import UserError
from ....engine.contract.rotations import matrix_to_quaternion
from ....engine.contract.skeleton import JOINT_NAMES, PARENTS, PELVIS
from ....engine.motion.body_motion import BodyMotion
from ....engine.motion.resampling import exact_rate, frame_count, frame_times
from ...blender import keyframes, tags, timing
from ...blender.evaluation import evaluating
from ...person import body_mesh
from ...person.sampling import sample_bones

_HIDING = ("hide_render", "hide_viewport")
"""Of objects and of collections."""
_UNEVEN = 1e-3
"""Part of the scale by which the axes' scales may differ."""
_OUT_OF_PLACE_M = 1e-3


@dataclass(frozen=True)
class Clock:
    """The frames of an export: number k is shown k / rate seconds after the scene's first frame."""

    rate: Fraction
    """Frames per second."""
    scene_frames: np.ndarray
    """(T,) where they lie in the scene, fractions included."""

    @property
    def time_s(self) -> np.ndarray:
        """(T,) seconds from the first frame."""
        return frame_times(len(self.scene_frames), self.rate)


@dataclass(frozen=True)
class PersonMotion:
    """One person over the T frames of an export, in Blender's world (z up, metres)."""

    armature: bpy.types.Object
    mesh: bpy.types.Object | None
    motion: BodyMotion
    """As large as it is in the scene."""
    scale: float
    """How much larger the scene shows the person than the body is."""
    hidden: np.ndarray
    """(T,) whether the scene hides the person."""
    betas: np.ndarray
    """(10,) shape; zeros without a mesh."""
    keys: dict[str, np.ndarray]
    """(T,) values of each shape key that is animated."""
    body: str
    """Which body the shape belongs to: `mannequin`, or the body file's name; empty where nobody knows."""
    notes: tuple[str, ...]
    """What the export cannot show."""

    @property
    def natural_rest(self) -> np.ndarray:
        """(55, 3) joints at rest, as large as the body is."""
        return self.motion.rest_joints / self.scale

    @property
    def expression(self) -> np.ndarray:
        """(T, 10) expression coefficients."""
        nothing = np.zeros(len(self.motion))
        return np.stack([self.keys.get(name, nothing) for name in body_mesh.EXPRESSION_KEYS], axis=-1)


def clock(scene: bpy.types.Scene, frame_rate: float) -> Clock:
    """The frames of an export of the scene's whole range; `frame_rate` 0 is the scene's own."""
    own = exact_rate(timing.rate_for(scene, None))
    rate = exact_rate(frame_rate) if frame_rate else own
    count = frame_count(Fraction(max(scene.frame_end - scene.frame_start, 0)) / own, rate)
    # one rounding: k frames later is k * own / rate frames of the scene later
    steps = np.arange(count, dtype=np.int64) * (own / rate).numerator / (own / rate).denominator
    return Clock(rate, scene.frame_start + steps)


def hidden_frames(item: bpy.types.Object, scene: bpy.types.Scene, when: Clock) -> np.ndarray:
    """(T,) whether the scene hides a person, or its collection, at an export's frames."""
    found = np.zeros(len(when.scene_frames), dtype=bool)
    homes = item.users_collection
    if homes and all(any(getattr(home, path) for path in _HIDING) for home in homes):
        found[:] = True
    curves = keyframes.curves(item)
    for path in _HIDING:
        curve = curves.get((path, 0))
        if curve is not None and len(curve.keyframe_points):
            found |= keyframes.sample(curve, when.scene_frames) > 0.5
        elif _is_in_nla(item, path):
            with evaluating(item, scene) as evaluation:
                found |= [getattr(evaluation.at(frame), path) for frame in when.scene_frames.tolist()]
        elif getattr(item, path):
            found[:] = True
    return found


def collect(item: bpy.types.Object, scene: bpy.types.Scene, when: Clock, hidden: np.ndarray) -> PersonMotion:
    """A person at an export's frames, standing as last seen where `hidden` (T,).

    Raises UserError (``scaled-unevenly``, ``source-not-a-person``, ``armature-edited``, ``armature-at-rest``).
    """
    # Blender computes no poses of what is hidden.
    bones = sample_bones(item, scene, when.scene_frames[_nearest_seen(hidden)])
    scale = _scale(item, bones.worlds)
    turn = bones.worlds[:, :3, :3] / scale
    # Where the bones' rest frames are the body's own, the second factor is nothing; it says what is meant.
    turned = turn[:, None] @ bones.poses[..., :3, :3] @ np.swapaxes(bones.rest[:, :3, :3], -1, -2)
    local = turned.copy()
    children = range(1, len(PARENTS))
    local[:, children] = np.swapaxes(turned[:, [PARENTS[joint] for joint in children]], -1, -2) @ turned[:, children]
    joints = np.einsum("tij,tbj->tbi", bones.worlds[:, :3, :3], bones.poses[..., :3, 3]) + bones.worlds[:, None, :3, 3]
    rest = scale * bones.rest[:, :3, 3]
    motion = BodyMotion.make(when.time_s, matrix_to_quaternion(local), joints[:, PELVIS], rest)
    mesh = _mesh(item)
    return PersonMotion(
        item,
        mesh,
        motion,
        scale,
        hidden,
        _betas(mesh),
        _key_values(mesh, when.scene_frames),
        _body(item),
        tuple(_notes(item, motion, joints, hidden)),
    )


def spans(hidden: np.ndarray) -> list[tuple[int, int]]:
    """First and last frame of each stretch of (T,) that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], hidden, [False]]).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def _scale(item: bpy.types.Object, worlds: np.ndarray) -> float:
    scales = np.linalg.norm(worlds[:, :3, :3], axis=1)
    scale = float(np.cbrt(np.linalg.det(worlds[0, :3, :3])))
    right_angles = np.einsum("tij,tik->tjk", worlds[:, :3, :3], worlds[:, :3, :3]) / scale**2
    if not (scale > 0 and np.ptp(scales) <= _UNEVEN * scale and np.abs(right_angles - np.eye(3)).max() <= 3 * _UNEVEN):
        raise UserError(
            "scaled-unevenly",
            f"{item.name} is scaled differently along its axes, mirrored, or more at "
            "some times than at others, which no skeleton can follow.",
            "Give the person and the object that it hangs from one scale for all axes, without keys.",
        )
    return scale


def _mesh(item: bpy.types.Object) -> bpy.types.Object | None:
    """The body that the armature deforms."""
    return next((child for child in item.children if child.type == "MESH" and child.get(tags.ROLE) == tags.MESH), None)


def _betas(mesh: bpy.types.Object | None) -> np.ndarray:
    return np.zeros(len(body_mesh.SHAPE_KEYS)) if mesh is None else body_mesh.shape(mesh).astype(np.float64)


def _key_values(mesh: bpy.types.Object | None, frames: np.ndarray) -> dict[str, np.ndarray]:
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


def _is_in_nla(item: bpy.types.Object, path: str) -> bool:
    """Whether strips animate a property of an object."""
    data = item.animation_data
    strips = [strip for track in data.nla_tracks for strip in track.strips] if data is not None and data.use_nla else []
    return any(strip.action is not None and keyframes.curves_in(strip.action, path) for strip in strips)


def _nearest_seen(hidden: np.ndarray) -> np.ndarray:
    """(T,) rows that show the person: each itself, else the last one before it, else the first of all."""
    seen = np.flatnonzero(~hidden)
    if not len(seen):
        return np.arange(len(hidden))
    return seen[np.clip(np.searchsorted(seen, np.arange(len(hidden)), side="right") - 1, 0, None)]


def _body(item: bpy.types.Object) -> str:
    above = item.parent
    path = "" if above is None else str(above.get(tags.BODY, ""))
    return path.replace("\\", "/").rpartition("/")[2]


def _notes(item: bpy.types.Object, motion: BodyMotion, joints: np.ndarray, hidden: np.ndarray) -> list[str]:
    notes = []
    away = np.linalg.norm(motion.joints() - joints, axis=-1)
    if away.max() > _OUT_OF_PLACE_M:
        joint = JOINT_NAMES[int(away.max(axis=0).argmax())]
        notes.append(
            f"{item.name}: bones were moved or scaled apart, which a body cannot do; the export is up to "
            f"{1000 * away.max():.0f} mm from the scene ({joint})."
        )
    if hidden.any():
        notes.append(f"{item.name} is hidden in frames {describe_spans(hidden)} of the export, counted from 0.")
    return notes


def describe_spans(hidden: np.ndarray) -> str:
    """``0-9, 30-44`` for the stretches of (T,) that are true."""
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in spans(hidden))
