# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole takes in a scene: which one is meant, and removing what was built of some."""

from __future__ import annotations

import bpy

from ..blender import tags


def root_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The root of the take that the active object belongs to; without one, of the scene's only take."""
    roots = [item for item in context.scene.objects if tags.is_root(item)]
    active = context.active_object
    take = tags.text(active, tags.TAKE) if active is not None else ""
    own = [item for item in roots if item[tags.TAKE] == take]
    return own[0] if own else roots[0] if len(roots) == 1 else None


def remove(take_ids: set[str]) -> None:
    """Remove what was built under these ids, and the collections that are empty without it."""
    objects = [item for item in bpy.data.objects if tags.text(item, tags.TAKE) in take_ids]
    homes = {collection.name for item in objects for collection in item.users_collection}
    people = [collection for collection in bpy.data.collections if tags.text(collection, tags.TAKE) in take_ids]
    actions = [action for action in bpy.data.actions if tags.text(action, tags.TAKE) in take_ids]
    bpy.data.batch_remove([*objects, *people, *actions])
    for home in homes & set(bpy.data.collections.keys()):
        collection = bpy.data.collections[home]
        if not collection.objects and not collection.children:
            bpy.data.collections.remove(collection)


def mark_preview(root: bpy.types.Object) -> None:
    """Say of a take that it is a quick look."""
    root[tags.PREVIEW] = True


def remove_previews(scene: bpy.types.Scene | None, source: str) -> None:
    """Remove the quick looks at some footage from a scene: a capture of it takes their place."""
    roots = [item for item in scene.objects if tags.is_root(item)] if scene is not None else []
    previews = [root for root in roots if tags.whole(root, tags.PREVIEW, 0) and tags.text(root, tags.SOURCE) == source]
    if previews:
        remove({root[tags.TAKE] for root in previews})
