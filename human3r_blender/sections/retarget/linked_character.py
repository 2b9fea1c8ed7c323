# SPDX-License-Identifier: GPL-3.0-or-later
"""A linked character becomes a library override, in the place of what was linked."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
from mathutils import Matrix

from ....engine.contract.errors import UserError


def make_editable(item: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Object:
    """The character's armature itself, or an override of one that is linked. Raises UserError (``character-linked``).

    Whatever shows the linked character in the scene is overridden as a whole, its meshes with it: the collection that
    was linked, the one that an empty stands for, or else the armature with what hangs from it.
    """
    if item.library is not None:
        item = _overridden(item, scene)
    if item.override_library is not None:
        # What Blender overrides of its own accord, it neither lets anybody pose nor keeps when the library changes.
        item.override_library.is_system_override = False
    return item


def _overridden(item: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Object:
    rooms = [scene.collection, *(room for room in scene.collection.children_recursive if room.library is None)]
    children = [child for room in rooms for child in room.children if _shows(child, item)]
    empties = [
        holder
        for holder in scene.objects
        if holder.instance_type == "COLLECTION"
        and holder.instance_collection is not None
        and _shows(holder.instance_collection, item)
    ]
    before = set(bpy.data.objects)
    if children:
        whole: bpy.types.ID = children[0]
    elif empties:
        whole = empties[0].instance_collection
    else:
        whole = item
    if whole.override_hierarchy_create(scene, scene.view_layers[0]) is None:
        raise UserError(
            "character-linked",
            "Blender could not make a library override of {name}.",
            "Append the character instead of linking it.",
            name=item.name,
        )
    made = [part for part in bpy.data.objects if part not in before]
    if not children and empties:
        _take_the_place_of(empties[0], made)
    for room in rooms:
        if whole in room.children.values():
            room.children.unlink(whole)
        for part in {part.override_library.reference for part in made if part.override_library is not None}:
            if part in room.objects.values():
                room.objects.unlink(part)
    return next(part for part in made if part.override_library is not None and part.override_library.reference == item)


def _shows(collection: bpy.types.Collection, item: bpy.types.Object) -> bool:
    return collection.library is not None and item in collection.all_objects.values()


def _take_the_place_of(empty: bpy.types.Object, parts: Iterable[bpy.types.Object]) -> None:
    """Put the objects to where the empty has shown them, and let it show nothing."""
    placed = empty.matrix_world @ Matrix.Translation(-empty.instance_collection.instance_offset)
    empty.instance_type = "NONE"
    for part in parts:
        if part.parent is None:
            part.matrix_world = placed @ part.matrix_world
