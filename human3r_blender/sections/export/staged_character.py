# SPDX-License-Identifier: GPL-3.0-or-later
"""A clean copy of a character for an export: bones without rigs, meshes that they alone move, shape keys with values.

The armature stands as a person's does (`staged_person.py`): unscaled, its motion in its bones. Modifiers other than
Armature are applied in the rest pose, to every shape key as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ....engine.contract.rotations import continuous_quaternions, matrix_to_quaternion
from ...blender import coordinates, keyframes
from ...blender.evaluation import at_rest
from ...blender.vectors import nearest_rotation
from ...person import armature, body_mesh
from .character_motion import CharacterMotion, Part
from .naming import Room, cut, safe_name
from .staged_keys import Space, key
from .staged_person import NAME, Style

_ASIDE = 2e-4
"""Share of its distance from its parent's head by which a bone is moved out of the parent's line."""
_MOVED = 1e-6
"""From this change on, meters or shares, a bone's place or scale has keys."""


def stage_character(
    scene: bpy.types.Scene,
    room: Room,
    character: CharacterMotion,
    name: str,
    clip: str,
    space: Space,
    style: Style,
    share: bpy.types.Object | None = None,
) -> bpy.types.Object:
    """Put a character into an export's scene, the armature called `name`; arguments as of `stage_person`.

    Of the style it takes whether its name begins its bones' names, and whether there are meshes.
    """
    names = file_names(character, name, style)
    to_body = np.eye(4)
    to_body[:3, :3] = coordinates.BODY_TO_ROOT.T
    rest, motion = to_body @ character.rest, to_body @ character.motion
    for matrices in (rest, motion):
        matrices[..., :3, 3] *= space.units
    rest, motion = _aside(character, rest, motion)
    skeleton = _skeleton(name, character, names, rest, space)
    for block in (skeleton, skeleton.data):
        room.name(block, name)
    if room.own_name(character.armature) != skeleton.name:
        skeleton[NAME] = room.own_name(character.armature)
    scene.collection.objects.link(skeleton)
    action = keyframes.animate(skeleton, clip, share=share)
    if share is None:
        room.name(action, clip)
    key(skeleton, _pose(character, names, rest, motion), True)
    for part in character.parts if style.with_mesh else ():
        _part(scene, room, character, part, skeleton, names, space.units)
    return skeleton


def file_names(character: CharacterMotion, name: str, style: Style) -> dict[str, str]:
    """The names that a character's bones have in a file where the character is called `name`."""
    return {bone: cut(f"{name}_{bone}", 63) if style.with_names else bone for bone in character.bones}


def _skeleton(
    name: str, character: CharacterMotion, names: Mapping[str, str], rest: np.ndarray, space: Space
) -> bpy.types.Object:
    data = bpy.data.armatures.new(name)
    item = bpy.data.objects.new(name, data)
    item.rotation_mode = "QUATERNION"
    if not space.y_up:  # as the armature's own axes are
        item.rotation_quaternion = coordinates.body_to_root_quaternion()
    with armature.edit_mode(data):
        made: list[bpy.types.EditBone] = []
        for place, (bone, parent) in enumerate(zip(character.bones, character.parents, strict=True)):
            edited = data.edit_bones.new(names[bone])
            edited.tail = (0.0, space.units * max(float(character.lengths[place]), 1e-4), 0.0)
            edited.matrix = Matrix(rest[place])
            edited.parent = made[parent] if parent >= 0 else None
            made.append(edited)
    return item


def _pose(
    character: CharacterMotion, names: Mapping[str, str], rest: np.ndarray, motion: np.ndarray
) -> dict[str, np.ndarray]:
    """(T, components) values of the bones' keys by data path.

    A skeleton knows no shear: what is left of it in one bone is kept from those that hang from it.
    """
    values: dict[str, np.ndarray] = {}
    shown = np.empty_like(motion)
    for place, (bone, parent) in enumerate(zip(character.bones, character.parents, strict=True)):
        carried = rest[place]
        if parent >= 0:
            carried = shown[:, parent] @ np.linalg.inv(rest[parent]) @ rest[place]
        own = np.linalg.inv(carried) @ motion[:, place]
        turns = nearest_rotation(own[:, :3, :3])
        scales = np.einsum("tij,tij->tj", turns, own[:, :3, :3])
        kept = own.copy()
        kept[:, :3, :3] = turns * scales[:, None, :]
        shown[:, place] = carried @ kept
        path = f'pose.bones["{bpy.utils.escape_identifier(names[bone])}"].'
        values[path + "rotation_quaternion"] = continuous_quaternions(matrix_to_quaternion(turns))
        if np.abs(own[:, :3, 3]).max() > _MOVED:
            values[path + "location"] = own[:, :3, 3]
        if np.abs(scales - 1).max() > _MOVED:
            values[path + "scale"] = scales
    return values


def _aside(character: CharacterMotion, rest: np.ndarray, motion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(B, 4, 4) and (T, B, 4, 4) with the bones that move against their parents a tenth of a millimeter aside.

    Blender's add-on for FBX takes a bone in the line of its parent for its connected end, which cannot be moved.
    """
    rest, motion = rest.copy(), motion.copy()
    for place, parent in enumerate(character.parents):
        if parent < 0:
            continue
        line = np.linalg.inv(rest[parent]) @ rest[place, :, 3]
        away = motion[:, place, :3, 3] - motion[:, parent, :3, 3]
        heads = np.einsum("tij,ti->tj", nearest_rotation(motion[:, parent, :3, :3]), away)
        if np.ptp(heads, axis=0).max() > _MOVED and np.abs(line[[0, 2]]).max() < _ASIDE * abs(line[1]):
            shift = np.eye(4)
            shift[:3, 3] = rest[place, :3, :3].T @ rest[parent, :3, 0] * _ASIDE * abs(line[1])
            rest[place], motion[:, place] = rest[place] @ shift, motion[:, place] @ shift
    return rest, motion


def _part(
    scene: bpy.types.Scene,
    room: Room,
    character: CharacterMotion,
    part: Part,
    skeleton: bpy.types.Object,
    names: Mapping[str, str],
    units: float,
) -> None:
    data = _surface(scene, character.armature, part.item)
    item = bpy.data.objects.new(part.item.name, data)
    label = safe_name(room.own_name(part.item), "part")
    for block in (item, data):
        room.name(block, label)
    scene.collection.objects.link(item)
    place = np.eye(4)
    place[:3, :3] = units * coordinates.BODY_TO_ROOT.T
    data.transform(Matrix(place @ part.rest), shape_keys=True)
    if np.linalg.det(part.rest[:3, :3]) < 0:
        data.flip_normals()
    _group(item, part, names)
    item.parent = skeleton
    item.modifiers.new("Armature", "ARMATURE").object = skeleton
    _key_shapes(item, part, skeleton)


def _group(item: bpy.types.Object, part: Part, names: Mapping[str, str]) -> None:
    """Give vertices to bones: as the source's groups do, or all to one bone."""
    if part.bone:
        item.vertex_groups.clear()
        item.vertex_groups.new(name=names[part.bone]).add(range(len(item.data.vertices)), 1.0, "REPLACE")
        return
    for group in list(item.vertex_groups):
        if group.name in part.groups:
            group.name = names[part.groups[group.name]]
        else:
            item.vertex_groups.remove(group)
    if part.stray:
        still = [vertex.index for vertex in item.data.vertices if not any(one.weight > 0 for one in vertex.groups)]
        item.vertex_groups.new(name=names[part.stray]).add(still, 1.0, "REPLACE")


def _key_shapes(item: bpy.types.Object, part: Part, skeleton: bpy.types.Object) -> None:
    if item.data.shape_keys is None:
        return
    blocks = item.data.shape_keys.key_blocks
    for block in blocks:
        block.mute = False
    values = {name: column for name, column in part.keys.items() if name in blocks}
    if not values:
        return
    for name, column in values.items():
        blocks[name].slider_min, blocks[name].slider_max = min(0.0, column.min()), max(1.0, column.max())
    keyframes.animate(item.data.shape_keys, skeleton.name, "shapes", share=skeleton)
    key(item.data.shape_keys, {body_mesh.value_path(name): column[:, None] for name, column in values.items()}, True)


def _surface(scene: bpy.types.Scene, rig: bpy.types.Object, source: bpy.types.Object) -> bpy.types.Mesh:
    """A new mesh of an object at rest, in its own space, with the shape keys that it has."""
    copy = source.copy()
    if copy.data is not None:
        copy.data = source.data.copy()
    for block in (copy, copy.data, getattr(copy.data, "shape_keys", None)):
        if block is not None:
            block.animation_data_clear()
    for modifier in [modifier for modifier in copy.modifiers if modifier.type == "ARMATURE"]:
        copy.modifiers.remove(modifier)
    copy.hide_viewport = False
    scene.collection.objects.link(copy)
    mesh: Any = copy.data
    own = mesh
    try:
        plain = copy.type == "MESH" and not any(modifier.show_viewport for modifier in copy.modifiers)
        mesh = own if plain else _applied(scene, rig, copy)
        for place, slot in enumerate(source.material_slots):
            if slot.link == "OBJECT" and place < len(mesh.materials):
                mesh.materials[place] = slot.material
        return mesh
    finally:
        bpy.data.objects.remove(copy)
        if mesh != own:
            bpy.data.batch_remove([own])


def _applied(scene: bpy.types.Scene, rig: bpy.types.Object, copy: bpy.types.Object) -> bpy.types.Mesh:
    """What modifiers make of an object while the rig rests, of each shape key as well."""
    shapes: Any = getattr(copy.data, "shape_keys", None)
    blocks = [] if shapes is None else list(shapes.key_blocks[1:])
    for block in blocks:
        block.value, block.mute = 0.0, False
        block.slider_max = max(block.slider_max, 1.0)
    copy.show_only_shape_key = False
    layer = scene.view_layers[0]

    def evaluated() -> bpy.types.Mesh:
        layer.update()
        graph = layer.depsgraph
        return bpy.data.meshes.new_from_object(
            copy.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph
        )

    with at_rest(rig, ()):
        mesh = evaluated()
        if not blocks:
            return mesh
        holder = bpy.data.objects.new("shapes", mesh)
        holder.shape_key_add(name=shapes.key_blocks[0].name, from_mix=False)
        for block in blocks:
            block.value = 1.0
            shape = evaluated()
            block.value = 0.0
            if len(shape.vertices) == len(mesh.vertices):
                points = np.empty(3 * len(shape.vertices), dtype=np.float32)
                shape.vertices.foreach_get("co", points)
                holder.shape_key_add(name=block.name, from_mix=False).data.foreach_set("co", points)
            bpy.data.meshes.remove(shape)
        bpy.data.objects.remove(holder)
    return mesh
