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
from ...blender.slices import Slices, sliceable
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
    groups: Mapping[str, str]
    """By vertex group, the bone that it is for."""
    stray: str
    """The bone that moves vertices which no group moves; empty where there are none."""
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


@sliceable
def collect(item: bpy.types.Object, scene: bpy.types.Scene, when: Clock) -> Slices[CharacterMotion]:
    """A character at an export's frames. Raises UserError (``armature-edited``, ``armature-at-rest``)."""
    cast = _Cast(item, scene)
    with _together(item, [*cast.rigs[1:], *cast.parts], scene) as evaluation:
        rest = _at_rest(item, [*cast.rigs, *cast.parts], evaluation)
        poses, places, keys = yield from _sampled(cast, evaluation, when)
    skeleton = _Skeleton()
    for rig, names in cast.bones.items():
        skeleton.add_rig(rig, names, rest[rig], poses[rig])
    held = {part: skeleton.names[found] for part, found in cast.held.items()}
    own = {part: skeleton.add(part, rest[part], places[part]) for part in cast.loose}
    held |= {part: bone for part, bone in own.items() if part not in cast.skins}
    parts = [
        Part(
            part,
            held.get(part, ""),
            skeleton.groups(cast.skins.get(part)),
            own.get(part, "") if part in cast.skins else "",
            rest[part],
            keys.get(part, {}),
        )
        for part in cast.parts
    ]
    return CharacterMotion(
        item,
        tuple(skeleton.bones),
        tuple(skeleton.parents),
        np.array(skeleton.rest),
        np.array(skeleton.lengths),
        np.stack(skeleton.motion, axis=1),
        tuple(parts),
        tuple(_notes(cast)),
    )


class _Cast:
    """Which objects a character is made of, and what moves each."""

    def __init__(self, item: bpy.types.Object, scene: bpy.types.Scene) -> None:
        bound = kinship.bound(item, scene.objects)
        rigs = [item, *(other for other in bound if other.type == "ARMATURE" and other != item)]
        self.parts = [part for part in bound if part.type in _SURFACES and _is_rendered(part, scene)]
        found = {part: [rig for rig in kinship.skinned_by(part) if rig in rigs] for part in self.parts}
        skins = {part: those[0] for part, those in found.items() if those and part.type == "MESH"}
        moved = {part: _moved_vertices(part, rig) for part, rig in skins.items()}
        self.skins = {part: rig for part, rig in skins.items() if moved[part].any()}
        """By part that vertex groups move, the armature whose bones they are for."""
        hanging = {part: _bone_of(part, rigs) for part in self.parts if part not in self.skins}
        self.held = {part: bone for part, bone in hanging.items() if bone is not None}
        """By part that hangs from a bone, the bone and its armature."""
        self.loose = [part for part in hanging if part not in self.held]
        self.loose += [part for part in self.skins if not moved[part].all()]
        """Parts that move as a whole or with what vertices no group moves."""
        self.bones = {rig: self._kept(rig) for rig in rigs}
        self.rigs = [rig for rig in rigs if self.bones[rig] or rig == item]
        self.bones = {rig: self.bones[rig] for rig in self.rigs}

    def _kept(self, rig: bpy.types.Object) -> list[str]:
        """The bones of an armature that something follows; all that deform where nothing says which do."""
        holding = {bone for other, bone in self.held.values() if other == rig}
        deforms = rig in self.skins.values() or not (self.skins or holding)
        return _kept_bones(rig, holding, deforms)


class _Skeleton:
    """A `CharacterMotion`'s bones while they are put together."""

    def __init__(self) -> None:
        self.bones: list[str] = []
        self.parents: list[int] = []
        self.rest: list[np.ndarray] = []
        self.lengths: list[float] = []
        self.motion: list[np.ndarray] = []
        """By bone, (T, 4, 4)."""
        self.names: dict[tuple[bpy.types.Object, str], str] = {}
        """By armature and bone, what it is called."""

    def add_rig(self, rig: bpy.types.Object, names: list[str], stand: np.ndarray, poses: np.ndarray) -> None:
        """The bones of an armature; (4, 4) from its space into the staged rest pose, (T, B, 4, 4) in the world."""
        scale, first = float(np.cbrt(np.linalg.det(stand[:3, :3]))), len(self.bones)
        for place, (name, parent) in enumerate(zip(names, _parents(rig, names), strict=True)):
            self.names[rig, name] = self._free(name)
            self.bones.append(self.names[rig, name])
            self.parents.append(first + parent if parent >= 0 else min(first, 1) - 1)
            bone = stand @ np.array(rig.data.bones[name].matrix_local, dtype=np.float64)
            self.rest.append(_unscaled(bone, scale))
            self.lengths.append(scale * rig.data.bones[name].length)
            self.motion.append(_unscaled(poses[:, place], scale))

    def groups(self, rig: bpy.types.Object | None) -> dict[str, str]:
        """By vertex group of a mesh that an armature deforms, the bone that it is for."""
        return {bone: name for (other, bone), name in self.names.items() if other == rig}

    def add(self, part: bpy.types.Object, rest: np.ndarray, places: np.ndarray) -> str:
        """A bone called like a part, for it to hang from: (4, 4) where it rests and (T, 4, 4) where it is."""
        name, bone = self._free(part.name), np.eye(4)
        bone[:3, :3], bone[:3, 3] = nearest_rotation(rest[:3, :3]), rest[:3, 3]
        self.parents.append(0 if self.bones else -1)
        self.bones.append(name)
        self.rest.append(bone)
        self.lengths.append(max(max(part.dimensions) / 4, 0.01))
        self.motion.append(places @ np.linalg.inv(rest) @ bone)
        return name

    def _free(self, name: str) -> str:
        found, number = name, 2
        while found in self.bones:
            found, number = f"{name}_{number}", number + 1
        return found


def _unscaled(matrices: np.ndarray, scale: float) -> np.ndarray:
    """(..., 4, 4) matrices with so much less scale."""
    matrices = matrices.copy()
    matrices[..., :3, :3] /= scale
    return matrices


def _at_rest(
    item: bpy.types.Object, objects: Sequence[bpy.types.Object], evaluation: Evaluation
) -> dict[bpy.types.Object, np.ndarray]:
    """By object of a character, (4, 4) from its own space into the staged rest pose."""
    with at_rest(item, ()):
        evaluation.update()
        world = _world(evaluation, item)
        inward = _standing(world) @ np.linalg.inv(world)
        return {one: inward @ _world(evaluation, one) for one in objects}


def _is_rendered(part: bpy.types.Object, scene: bpy.types.Scene) -> bool:
    homes = [home for home in (scene.collection, *scene.collection.children_recursive) if part in home.objects.values()]
    return not part.hide_render and any(not home.hide_render for home in homes)


def _moved_vertices(part: bpy.types.Object, rig: bpy.types.Object) -> np.ndarray:
    """(V,) whether bones of an armature move each vertex of a mesh."""
    bones = rig.data.bones
    moving = {group.index for group in part.vertex_groups if group.name in bones and bones[group.name].use_deform}

    def is_moved(vertex: bpy.types.MeshVertex) -> bool:
        return any(one.group in moving and one.weight > 0 for one in vertex.groups)

    return np.array([is_moved(vertex) for vertex in part.data.vertices], dtype=bool)


def _bone_of(part: bpy.types.Object, rigs: Sequence[bpy.types.Object]) -> tuple[bpy.types.Object, str] | None:
    """The bone that an object hangs from and does not move against, with its armature; None for none."""
    above = part.parent
    if above is None or part.constraints or part.animation_data is not None:
        return None
    if above in rigs:
        return (above, str(part.parent_bone)) if part.parent_type == "BONE" else None
    return _bone_of(above, rigs) if part.parent_type == "OBJECT" else None


def _kept_bones(item: bpy.types.Object, holding: set[str], deforms: bool) -> list[str]:
    """The bones that deform or hold something, and the one that all hang from, parents before their children."""
    bones = item.data.bones
    kept = set(holding)
    if deforms:
        kept |= {bone.name for bone in bones if bone.use_deform} or set(bones.keys())
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
    ends = np.array([[*bone.head_local, *bone.tail_local] for bone in others]).reshape(-1, 6)
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


_Rows = dict[bpy.types.Object, np.ndarray]


def _sampled(
    cast: _Cast, evaluation: Evaluation, when: Clock
) -> Slices[tuple[_Rows, _Rows, dict[bpy.types.Object, dict[str, np.ndarray]]]]:
    """(T, B, 4, 4) bones by armature and (T, 4, 4) loose parts in the world, and (T,) values of parts' shape keys."""
    count = len(when.scene_frames)
    poses = {rig: np.empty((count, len(names), 4, 4)) for rig, names in cast.bones.items()}
    places = {part: np.empty((count, 4, 4)) for part in cast.loose}
    shaped = {part: part.data.shape_keys for part in cast.parts if getattr(part.data, "shape_keys", None) is not None}
    keys = {part: {key.name: np.empty(count) for key in shapes.key_blocks[1:]} for part, shapes in shaped.items()}
    for row, frame in enumerate(when.scene_frames.tolist()):
        evaluation.at(frame)
        for rig, names in cast.bones.items():
            seen = evaluation.seen(rig)
            poses[rig][row] = world_matrix(seen) @ bone_matrices(seen, names)
        for part, rows in places.items():
            rows[row] = _world(evaluation, part)
        for part, shapes in shaped.items():
            for key in evaluation.seen(shapes).key_blocks[1:]:
                keys[part][key.name][row] = 0.0 if key.mute else key.value
        yield None
    return poses, places, keys


def _notes(cast: _Cast) -> Iterator[Sentence]:
    for part in cast.parts:
        stiff = _stiff_modifiers(part)
        if stiff:
            said = "{name}: modifiers look as in the rest pose in the file, whatever the pose: {modifiers}."
            yield Sentence(said, name=part.name, modifiers=", ".join(stiff))
        skins = [one for one in part.modifiers if one.type == "ARMATURE" and one.object in cast.rigs]
        if any(one.use_deform_preserve_volume for one in skins):
            said = "{name}: files cannot preserve the volume at joints as its Armature modifier does."
            yield Sentence(said, name=part.name)
    for rig in cast.rigs:
        if any(rig.data.bones[name].bbone_segments > 1 for name in cast.bones[rig]):
            yield Sentence("{name}: bendy bones are exported as straight ones.", name=rig.name)


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
