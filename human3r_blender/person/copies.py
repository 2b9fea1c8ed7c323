# SPDX-License-Identifier: GPL-3.0-or-later
"""People whom the user copied: what a copy and its original share becomes each one's own before it changes.

How much they share is for Blender and the user's preferences to say: with Shift D mostly the Actions that do not play
and the collection, with Alt D also armature, mesh and shape keys.
"""

from __future__ import annotations

import bpy

from ..blender import keyframes
from . import family


def own_blocks(item: bpy.types.Object) -> None:
    """Make a person's Actions, bones and mesh the person's own: to be called before any of them is changed."""
    family.adopt(item)
    body = family.mesh(item)
    for part in (item, body):
        if part is not None and part.data.users - part.data.use_fake_user > 1:
            part.data = part.data.copy()
    versions = family.actions(item)
    users = bpy.data.user_map(subset=set(versions.values()), value_types={"OBJECT"}) if versions else {}
    for role, action in versions.items():
        people = filter(None, map(family.person_of, users.get(action, ())))
        if any(family.are_copies(item, other) for other in people):
            own = action.copy()
            own.use_fake_user = action.use_fake_user
            family.give(item, own, role)
            marks = family.marks(item)
            for block in (*family.animated(item), *(marks.objects if marks is not None else ())):
                keyframes.exchange(block, action, own)


def own_collection(item: bpy.types.Object) -> bpy.types.Collection | None:
    """The collection of a person, in which nobody else is any more; None without one.

    Blender puts a copy beside the original: everybody but the first gets a collection, next to that one.
    """
    home = family.collection(item)
    if home is None:
        return None
    for other in [*filter(family.is_person, home.objects)][1:]:
        root = family.root(other)
        above = root.users_collection[0] if root is not None else other.users_scene[0].collection
        own = family.new_collection(other, above)
        own.hide_viewport, own.hide_render = home.hide_viewport, home.hide_render
        body = family.mesh(other)
        home.objects.unlink(other)
        if body is not None and body.name in home.objects:
            own.objects.link(body)
            home.objects.unlink(body)
    return family.collection(item)
