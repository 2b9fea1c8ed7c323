# SPDX-License-Identifier: GPL-3.0-or-later
"""Which armatures are characters that a person's motion was put on: retargeting says so, exports ask.

The Action remembers it, which is the file's own even where the character is linked, and leaves with the motion.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from ..blender import keyframes, tags
from . import family


def mark(action: bpy.types.Action, person: bpy.types.Object) -> None:
    """Write on a character's Action whose motion it is."""
    tags.mark(action, tags.text(person, tags.TAKE), tags.CHARACTER, tags.whole(person, tags.TRACK, -1))


def motion_of(item: bpy.types.Object | None) -> bpy.types.Action | None:
    """The Action of an armature that a person's motion was put on, also in its NLA strips; None without one."""
    if item is None or item.type != "ARMATURE" or family.is_person(item):
        return None
    return next((made for made in keyframes.actions_of(item) if made.get(tags.ROLE) == tags.CHARACTER), None)


def characters_in(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The characters of a scene, in the order of their people."""
    return sorted((item for item in scene.objects if motion_of(item) is not None), key=_order)


def take_of(item: bpy.types.Object) -> str:
    """The id of the take that a person, or a character's motion, is from."""
    action = motion_of(item)
    return tags.text(item if action is None else action, tags.TAKE)


def of(people: Iterable[bpy.types.Object], characters: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Those of some characters that have a motion of some people."""
    meant = {family.order(person) for person in people}
    return [item for item in characters if _order(item) in meant]


def _order(item: bpy.types.Object) -> tuple[str, int]:
    action = motion_of(item)
    assert action is not None
    return tags.text(action, tags.TAKE), tags.whole(action, tags.TRACK, -1)
