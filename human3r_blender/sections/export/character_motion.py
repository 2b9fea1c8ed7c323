# SPDX-License-Identifier: GPL-3.0-or-later
"""A character of the scene as numbers, at the export's own rate: bones that deform it, and all that hangs from it.

Whatever moves the rig (controls, constraints, drivers, strips, a group above it) has had its say: each bone is where
Blender shows it, in the world. What no bone deforms, such as eyes and hair, gets a bone of its own unless it hangs from
one as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np

from ....engine.contract import rotations
from ....engine.contract.sentences import Sentence
from ...blender import bone_ties, kinship
from ...blender.evaluation import Evaluation, at_rest, bone_matrices, evaluating, world_matrix
from ...blender.vectors import nearest_rotation
from .motion import Clock

_SURFACES = ("MESH", "CURVE", "SURFACE", "FONT", "META")
"""Types of objects that become meshes."""
_SAME_PLACE = 1e-4
"""Shares of a skeleton's size up to which two bones lie in one place."""
_POSE_DEPENDENT = {
    "CAST", "CLOTH", "CORRECTIVE_SMOOTH", "CURVE", "HOOK", "LAPLACIANDEFORM", "LATTICE", "MESH_DEFORM", "NODES",
    "SHRINKWRAP", "SOFT_BODY", "SURFACE_DEFORM", "WARP", "WAVE",
}  # fmt: skip
"""Types of modifiers whose effect may differ from pose to pose, which no skeleton shows."""
_PLACED_BY_THE_OBJECT = ("ARRAY", "BOOLEAN", "DISPLACE", "MIRROR", "SCREW", "SIMPLE_DEFORM")
"""Types of modifiers that do so when they come after the skeleton has had its effect."""


@dataclass(frozen=True)
class Part:
    """One object of a character."""

    item: bpy.types.Object
    bone: str
    """The bone that moves it as it is; empty where its vertex groups say what moves it."""
    rest: np.ndarray
    """(4, 4) from the object's own space into the staged rest pose (z up, meters)."""
    keys: Mapping[str, np.ndarray]
    """(T,) values of its shape keys."""


@dataclass(frozen=True)
class CharacterMotion:
    """One character over the T frames of an export, in Blender's world (z up, meters)."""

    armature: bpy.types.Object
    bones: tuple[str, ...]
    """Names of B bones, parents before their children."""
    parents: tuple[int, ...]
    """By bone, its parent's index; -1 without one."""
    rest: np.ndarray
    """(B, 4, 4) without scale: the rest pose, as large as in the scene, with the armature's origin at the world's."""
    lengths: np.ndarray
    """(B,) from heads to tails."""
    motion: np.ndarray
    """(T, B, 4, 4) where the bones are."""
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    """What the export cannot show."""


def collect(item: bpy.types.Object, scene: bpy.types.Scene, when: Clock) -> CharacterMotion:
    """A character at an export's frames. Raises UserError (``armature-edited``, ``armature-at-rest``)."""
    parts = _parts_of(item, scene)
    held = {part: _bone_of(part, item) for part in parts}
    names = _kept_bones(item, {name for name in held.values() if name})
    loose = [part for part in parts if not held[part] and not _is_skinned(part, item)]
    with _together(item, parts, scene) as evaluation:
        stand, rest = _at_rest(item, parts, evaluation)
        poses, places, keys = _sampled(item, names, loose, parts, evaluation, when)
    skeleton = _Skeleton.of(item, names, stand, poses)
    for place, part in enumerate(loose):
        held[part] = skeleton.add(part, rest[part], places[:, place])
    return CharacterMotion(
        item,
        tuple(skeleton.bones),
        tuple(skeleton.parents),
        np.array(skeleton.rest),
        np.array(skeleton.lengths),
        np.stack(skeleton.motion, axis=1),
        tuple(Part(part, held[part], rest[part], keys.get(part, {})) for part in parts),
        tuple(_notes(item, parts)),
    )


@dataclass
class _Skeleton:
    """A `CharacterMotion`'s bones while they are put together."""

    bones: list[str]
    parents: list[int]
    rest: list[np.ndarray]
    lengths: list[float]
    motion: list[np.ndarray]
    """By bone, (T, 4, 4)."""

    @classmethod
    def of(cls, item: bpy.types.Object, names: list[str], stand: np.ndarray, poses: np.ndarray) -> _Skeleton:
        """The rig's own bones; `poses` (T, B, 4, 4) have the armature's scale, which `stand` (4, 4) has as well."""
        scale = float(np.cbrt(np.linalg.det(stand[:3, :3])))
        rest = stand @ np.array([item.data.bones[name].matrix_local for name in names], dtype=np.float64)
        rest[..., :3, :3] /= scale
        poses[..., :3, :3] /= scale
        lengths = [scale * item.data.bones[name].length for name in names]
        return cls([*names], _parents(item, names), [*rest], lengths, [*np.swapaxes(poses, 0, 1)])

    def add(self, part: bpy.types.Object, rest: np.ndarray, places: np.ndarray) -> str:
        """A bone called like a part, for it to hang from: (4, 4) where it rests and (T, 4, 4) where it is."""
        name, number = part.name, 2
        while name in self.bones:
            name, number = f"{part.name}_{number}", number + 1
        bone = np.eye(4)
        bone[:3, :3], bone[:3, 3] = nearest_rotation(rest[:3, :3]), rest[:3, 3]
        self.bones.append(name)
        self.parents.append(0)
        self.rest.append(bone)
        self.lengths.append(max(max(part.dimensions) / 4, 0.01))
        self.motion.append(places @ np.linalg.inv(rest) @ bone)
        return name


def _at_rest(
    item: bpy.types.Object, parts: Sequence[bpy.types.Object], evaluation: Evaluation
) -> tuple[np.ndarray, dict[bpy.types.Object, np.ndarray]]:
    """(4, 4) from the armature's space to the staged rest pose, and by part from its own."""
    with at_rest(item, ()):
        evaluation.update()
        stand = _standing(_world(evaluation, item))
        inward = stand @ np.linalg.inv(_world(evaluation, item))
        return stand, {part: inward @ _world(evaluation, part) for part in parts}


def _parts_of(item: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The objects bound to a character that have a surface and are rendered."""
    bound = kinship.bound(item, scene.objects)
    return [part for part in bound if part.type in _SURFACES and _is_rendered(part, scene)]


def _is_rendered(part: bpy.types.Object, scene: bpy.types.Scene) -> bool:
    homes = [home for home in (scene.collection, *scene.collection.children_recursive) if part in home.objects.values()]
    return not part.hide_render and any(not home.hide_render for home in homes)


def _is_skinned(part: bpy.types.Object, item: bpy.types.Object) -> bool:
    return part.type == "MESH" and item in kinship.skinned_by(part)


def _bone_of(part: bpy.types.Object, item: bpy.types.Object) -> str:
    """The bone that an object hangs from and does not move against; empty for none."""
    if _is_skinned(part, item) or part.constraints or part.animation_data is not None:
        return ""
    if part.parent == item and part.parent_type == "BONE":
        return str(part.parent_bone)
    above = part.parent
    return _bone_of(above, item) if above is not None and above != item and part.parent_type == "OBJECT" else ""


def _kept_bones(item: bpy.types.Object, holding: set[str]) -> list[str]:
    """The bones that deform or hold something, and the one that all hang from, parents before their children."""
    bones = item.data.bones
    kept = {bone.name for bone in bones if bone.use_deform} or set(bones.keys())
    kept |= holding
    tops = {[name, *bone_ties.line_up(item, name)][-1] for name in kept}
    if len(tops) == 1:
        kept |= tops
    found: list[str] = []
    parents = dict(zip(kept, (_parent(item, name, kept) for name in kept), strict=True))
    while len(found) < len(kept):
        left = [bone.name for bone in bones if bone.name in kept and bone.name not in found]
        found += [name for name in left if parents[name] in ("", *found)] or left
    return found


def _parents(item: bpy.types.Object, names: Sequence[str]) -> list[int]:
    """By bone, the index of its parent among the kept ones, which comes before it; -1 without one."""
    places = {name: place for place, name in enumerate(names)}
    found = [places.get(_parent(item, name, set(names)), -1) for name in names]
    return [parent if parent < place else -1 for place, parent in enumerate(found)]


def _parent(item: bpy.types.Object, name: str, kept: set[str]) -> str:
    """The kept bone that a bone hangs from: one above it, or one that lies exactly where one above it lies."""
    bones = item.data.bones
    others = [bone for bone in bones if bone.name in kept and bone.name != name]
    ends = np.array([[*bone.head_local, *bone.tail_local] for bone in others])
    size = max(bone.length for bone in bones)
    for above in bone_ties.line_up(item, name):
        if above in kept:
            return above
        away = np.abs(ends - [*bones[above].head_local, *bones[above].tail_local]).max(axis=-1, initial=0)
        if len(away) and away.min() <= _SAME_PLACE * size:
            return str(others[int(away.argmin())].name)
    return ""


def _standing(world: np.ndarray) -> np.ndarray:
    """(4, 4) turn and scale of an armature object in the world, without its place and the direction it faces."""
    scale = float(np.cbrt(np.linalg.det(world[:3, :3])))
    w, _, _, z = rotations.matrix_to_quaternion(nearest_rotation(world[:3, :3]))
    heading = rotations.axis_angle_to_matrix(np.array([0.0, 0.0, 2 * np.arctan2(z, w)]))
    stand = np.eye(4)
    stand[:3, :3] = scale * heading.T @ nearest_rotation(world[:3, :3])
    return stand


@contextmanager
def _together(
    item: bpy.types.Object, parts: Sequence[bpy.types.Object], scene: bpy.types.Scene
) -> Iterator[Evaluation]:
    """Evaluate a character with its parts, hidden or not."""
    hidden = {part: part.hide_viewport for part in parts}
    with evaluating(item, scene) as evaluation:
        try:
            for part in parts:
                part.hide_viewport = False
                evaluation.add(part)
            yield evaluation
        finally:
            for part, was in hidden.items():
                part.hide_viewport = was


def _world(evaluation: Evaluation, item: bpy.types.Object) -> np.ndarray:
    return world_matrix(evaluation.seen(item))


def _sampled(
    item: bpy.types.Object,
    names: Sequence[str],
    loose: Sequence[bpy.types.Object],
    parts: Sequence[bpy.types.Object],
    evaluation: Evaluation,
    when: Clock,
) -> tuple[np.ndarray, np.ndarray, dict[bpy.types.Object, dict[str, np.ndarray]]]:
    """(T, B, 4, 4) bones and (T, L, 4, 4) loose parts in the world, and (T,) values of the parts' shape keys."""
    count = len(when.scene_frames)
    poses, places = np.empty((count, len(names), 4, 4)), np.empty((count, len(loose), 4, 4))
    shaped = {part: part.data.shape_keys for part in parts if getattr(part.data, "shape_keys", None) is not None}
    keys = {part: {key.name: np.empty(count) for key in shapes.key_blocks[1:]} for part, shapes in shaped.items()}
    for row, frame in enumerate(when.scene_frames.tolist()):
        evaluated = evaluation.at(frame)
        poses[row] = world_matrix(evaluated) @ bone_matrices(evaluated, names)
        for place, part in enumerate(loose):
            places[row, place] = _world(evaluation, part)
        for part, shapes in shaped.items():
            for key in evaluation.seen(shapes).key_blocks[1:]:
                keys[part][key.name][row] = 0.0 if key.mute else key.value
    return poses, places, keys


def _notes(item: bpy.types.Object, parts: Sequence[bpy.types.Object]) -> Iterator[Sentence]:
    for part in parts:
        stiff = _stiff_modifiers(part)
        if stiff:
            said = "{name}: modifiers look as in the rest pose in the file, whatever the pose: {modifiers}."
            yield Sentence(said, name=part.name, modifiers=", ".join(stiff))
        skins = [one for one in part.modifiers if one.type == "ARMATURE" and one.object == item]
        if any(one.use_deform_preserve_volume for one in skins):
            said = "{name}: files cannot preserve the volume at joints as its Armature modifier does."
            yield Sentence(said, name=part.name)
    if any(bone.use_deform and bone.bbone_segments > 1 for bone in item.data.bones):
        yield Sentence("{name}: bendy bones are exported as straight ones.", name=item.name)


def _stiff_modifiers(part: bpy.types.Object) -> list[str]:
    """Names of an object's modifiers that would do something else in another pose."""
    shown = [modifier for modifier in part.modifiers if modifier.show_viewport]
    skins = [place for place, modifier in enumerate(shown) if modifier.type == "ARMATURE"]
    behind = shown[skins[0] :] if skins else []
    return [
        one.name
        for one in shown
        if one.type in _POSE_DEPENDENT or (one in behind and one.type in _PLACED_BY_THE_OBJECT)
    ]
