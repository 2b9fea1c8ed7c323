# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is a person, and what belongs to one: the only place that finds it.

A person is an armature. All else is found from there, along what Blender itself ties to it: parents and children, the
collections it is in, the Actions that it uses or holds. Nothing is looked up by its number in the whole file: when a
user copies a person, the copy bears the numbers of the original, and a search would find the other's parts. Blender's
undo and file loading replace data-blocks under their Python references, so callers keep none and ask again.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from ..blender import keyframes, tags
from .motion import LOCATION

_NOBODY = -(1 << 31)
"""No take's number."""

ROLES = (tags.RAW, tags.LIVE, tags.CLEAN)

_HELD = {role: f"human3r_{role}" for role in ROLES}
"""On the armature: pointers to the Actions of a person's versions, whether or not they play."""


def is_person(item: bpy.types.Object | None) -> bool:
    """Whether an object is the armature of a person that Human3R made."""
    return item is not None and item.type == "ARMATURE" and item.get(tags.ROLE) == tags.ARMATURE and _has_order(item)


def person_of(item: bpy.types.Object | None) -> bpy.types.Object | None:
    """The person whose part an object is: the armature itself, the mesh, a contact mark; None for anything else."""
    if item is None or not _has_order(item) or is_person(item):
        return item if is_person(item) else None
    above = item.find_armature() or item.parent
    return above if is_person(above) else None


def order(item: bpy.types.Object) -> tuple[str, int]:
    """What people are sorted by: take by take, in the order of their numbers."""
    return str(item[tags.TAKE]), int(item[tags.TRACK])


def _has_order(block: bpy.types.ID) -> bool:
    """Whether a data-block says whose it is; whoever had the file may have written anything there."""
    return bool(tags.text(block, tags.TAKE)) and tags.whole(block, tags.TRACK, _NOBODY) != _NOBODY


def people_in(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The people of a scene, in order."""
    return sorted(filter(is_person, scene.objects), key=order)


def people_under(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The people who hang from a take's root, in order."""
    return sorted(filter(is_person, root.children), key=order)


def are_copies(item: bpy.types.Object, other: bpy.types.Object) -> bool:
    """Whether one of two people was copied from the other, or both from a third."""
    return item != other and order(item) == order(other)


def mesh(item: bpy.types.Object) -> bpy.types.Object | None:
    """The mesh that a person's armature deforms; None once the user deleted it."""
    return next((part for part in _around(item) if part.get(tags.ROLE) == tags.MESH and person_of(part) == item), None)


def root(item: bpy.types.Object) -> bpy.types.Object | None:
    """The empty that a person's take hangs from; None once the user deleted it."""
    above = item.parent
    while above is not None and not tags.is_root(above):
        above = above.parent
    if above is None:  # the user hung the person from something else, or from nothing
        beside = (other for scene in item.users_scene for other in scene.objects)
        above = next(
            (other for other in beside if tags.is_root(other) and other[tags.TAKE] == item[tags.TAKE]),
            None,
        )
    return above


def collection(item: bpy.types.Object) -> bpy.types.Collection | None:
    """The collection made for a person; None once the user deleted it, or took the person out of it."""
    return next((home for home in item.users_collection if tags.TRACK in home and tags.ROLE not in home), None)


def new_collection(item: bpy.types.Object, above: bpy.types.Collection) -> bpy.types.Collection:
    """A collection for a person, named like the armature, which goes into it."""
    home = bpy.data.collections.new(item.name)
    home[tags.TAKE], home[tags.TRACK] = item[tags.TAKE], item[tags.TRACK]
    above.children.link(home)
    home.objects.link(item)
    return home


def marks(item: bpy.types.Object) -> bpy.types.Collection | None:
    """The collection that a person's contact marks are in; None without any."""
    homes = (home for part in _around(item) if part.parent == item for home in part.users_collection)
    return next((home for home in homes if home.get(tags.ROLE) == tags.CONTACTS), None)


def animated(item: bpy.types.Object) -> list[bpy.types.ID]:
    """What of a person may have animation: the armature, the mesh and its shape keys."""
    body = mesh(item)
    return [block for block in (item, body, body and body.data.shape_keys) if block is not None]


def action(item: bpy.types.Object, role: str) -> bpy.types.Action | None:
    """A person's Action with one of the roles `tags.RAW`, `tags.LIVE` and `tags.CLEAN`, whether or not it plays."""
    held = item.get(_HELD[role])
    if isinstance(held, bpy.types.Action):
        return held
    used = (action for block in animated(item) for action in keyframes.actions_of(block))
    found = next((action for action in used if _is_version(action, item, role)), None)
    return found or (_action_of_earlier_versions(item, role) if _is_of_earlier_versions(item) else None)


def actions(item: bpy.types.Object) -> dict[str, bpy.types.Action]:
    """The Actions of the person's versions that there are, by their roles."""
    found = {role: action(item, role) for role in ROLES}
    return {role: action for role, action in found.items() if action is not None}


def give(item: bpy.types.Object, made: bpy.types.Action, role: str) -> None:
    """Make an Action one of a person's versions, in place of the one there was."""
    if role != tags.RAW:  # which everybody gets first, and old people have
        adopt(item)
    _hold(item, made, role)


def adopt(item: bpy.types.Object) -> None:
    """Let a person of a file of an earlier version, and the person's copies, hold their Actions."""
    if not _is_of_earlier_versions(item):
        return
    alike = [other for other in bpy.data.objects if is_person(other) and order(other) == order(item)]
    found = {other: actions(other) for other in alike if _is_of_earlier_versions(other)}
    for other, versions in found.items():
        for role, version in versions.items():
            _hold(other, version, role)


def _hold(item: bpy.types.Object, made: bpy.types.Action, role: str) -> None:
    tags.mark(made, item[tags.TAKE], role, item[tags.TRACK])
    for other in ROLES:  # the live Action of a run that ends becomes the clean one
        if item.get(_HELD[other]) == made:
            del item[_HELD[other]]
    item[_HELD[role]] = made


def _around(item: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """The objects that may be parts of a person, the likeliest first: Blender finds `children` among all objects."""
    for home in item.users_collection:
        yield from home.all_objects
    yield from item.children


def _is_version(made: bpy.types.Action, item: bpy.types.Object, role: str) -> bool:
    return made.get(tags.ROLE) == role and _has_order(made) and order(made) == order(item)


def _is_of_earlier_versions(item: bpy.types.Object) -> bool:
    """Up to 0.1.0 an armature held no Actions; what did not play was found by its numbers among all of the file."""
    return not any(key in item for key in _HELD.values())


def _action_of_earlier_versions(item: bpy.types.Object, role: str) -> bpy.types.Action | None:
    found = next((made for made in bpy.data.actions if _is_version(made, item, role)), None)
    if found is None and role == tags.RAW and item.animation_data is not None:
        # The first versions made one Action a person, and said nothing on it.
        plain = item.animation_data.action
        if plain is not None and tags.ROLE not in plain and keyframes.curves_in(plain, LOCATION):
            _hold(item, plain, tags.RAW)
            return plain
    return found
