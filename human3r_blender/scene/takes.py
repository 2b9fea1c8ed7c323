# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole takes in a scene: which there are, which one is meant, and removing what was built of some."""

from __future__ import annotations

from collections.abc import Collection

import bpy

from ..blender import keyframes, tags
from ..blender.text import tr
from ..person import bone_shapes, family


def roots_in(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The roots of a scene's takes, in the order of their names."""
    return sorted((item for item in scene.objects if tags.is_root(item)), key=lambda item: item.name)


def ids_in(scene: bpy.types.Scene) -> set[str]:
    """The ids of all takes that a scene has something of."""
    return {take for item in scene.objects if (take := tags.text(item, tags.TAKE))}


def root_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The root of the take that the active object belongs to; without one, of the scene's only take."""
    roots = roots_in(context.scene)
    active = context.active_object
    take = tags.text(active, tags.TAKE) if active is not None else ""
    own = [item for item in roots if item[tags.TAKE] == take]
    return own[0] if own else roots[0] if len(roots) == 1 else None


def has_root(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether a take is meant; if not, whoever points at the operator's button reads what to do."""
    if root_of(context) is None:
        operator.poll_message_set(tr("Select something from a take: its camera, a person or its points"))
        return False
    return True


def remove(take_ids: set[str]) -> None:
    """Remove what was built under these ids, and the collections that are empty without it."""
    objects = [item for item in bpy.data.objects if tags.text(item, tags.TAKE) in take_ids]
    homes = {collection.name for item in objects for collection in item.users_collection}
    people = [collection for collection in bpy.data.collections if tags.text(collection, tags.TAKE) in take_ids]
    actions = [action for action in bpy.data.actions if tags.text(action, tags.TAKE) in take_ids]
    bpy.data.batch_remove([*objects, *people, *actions])
    bone_shapes.remove_unused()
    _remove_empty(homes)


def mark_preview(root: bpy.types.Object) -> None:
    """Say of a take that it is a quick look."""
    root[tags.PREVIEW] = True


def is_preview(root: bpy.types.Object) -> bool:
    """Whether a take is a quick look."""
    return bool(tags.whole(root, tags.PREVIEW, 0))


def remove_previews(scene: bpy.types.Scene | None, source: str) -> None:
    """Remove the quick looks at some footage from a scene: a capture of it takes their place."""
    roots = roots_in(scene) if scene is not None else []
    previews = {root[tags.TAKE] for root in roots if is_preview(root) and tags.text(root, tags.SOURCE) == source}
    if scene is not None and previews:
        remove_from(scene, previews)


def remove_from(scene: bpy.types.Scene, take_ids: Collection[str]) -> None:
    """Remove some takes from one scene; other scenes keep theirs, also where they have the same take.

    What comes from other files stays, and so do the motions that people gave to the user's own characters.
    """
    objects = [item for item in scene.objects if tags.text(item, tags.TAKE) in take_ids and _is_own(item)]
    homes = {collection.name for item in objects for collection in item.users_collection if _is_own(collection)}
    own = [item for item in objects if len(item.users_scene) == 1]
    if shared := set(objects) - set(own):
        _detach(scene.collection, shared, scene)
    actions = {action for item in own for action in _actions_of(item)}
    data = {item.data for item in own if item.data is not None}
    bpy.data.batch_remove(own)
    bpy.data.batch_remove([block for block in data if not block.users])
    bpy.data.batch_remove([action for action in actions if action.users <= action.use_fake_user])
    bone_shapes.remove_unused()
    _remove_empty(homes)


def _is_own(block: bpy.types.ID) -> bool:
    """Whether a data-block is this file's own."""
    return block.library is None and block.override_library is None


def _actions_of(item: bpy.types.Object) -> set[bpy.types.Action]:
    """What animates an object of a take, or could: a person's versions, a camera's path."""
    blocks = [item, item.data, getattr(item.data, "shape_keys", None)]
    found = {action for block in blocks if block is not None for action in keyframes.actions_of(block)}
    return found | (set(family.actions(item).values()) if family.is_person(item) else set())


def _detach(above: bpy.types.Collection, objects: set[bpy.types.Object], scene: bpy.types.Scene) -> None:
    """Take objects out of one scene that others show as well; what is in a collection that they share stays there."""
    for collection in [*above.children]:
        inside = set(collection.all_objects)
        if inside and inside <= objects:
            above.children.unlink(collection)
        elif not any(collection in other.collection.children_recursive for other in bpy.data.scenes if other != scene):
            _detach(collection, objects, scene)
    for item in objects & set(above.objects):
        above.objects.unlink(item)


def _remove_empty(homes: Collection[str]) -> None:
    """Remove collections that hold nothing any more, and those that then hold nothing."""
    found = [collection for name in homes if (collection := bpy.data.collections.get(name)) is not None]
    while empty := [collection for collection in found if not collection.objects and not collection.children]:
        found = [collection for collection in found if collection not in empty]
        bpy.data.batch_remove(empty)
