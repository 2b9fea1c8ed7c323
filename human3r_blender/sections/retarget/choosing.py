# SPDX-License-Identifier: GPL-3.0-or-later
"""Person and character of the next retargeting: what the fields say, and where they are empty, what is selected.

Nothing is written: the fields show the names of what is meant as long as nobody has chosen, and buttons ask here.
"""

from __future__ import annotations

from typing import Any

import bpy

from ...person import family, selection

Settings = Any
"""The section's properties (`properties.Human3RRetarget`), which ask here themselves."""


def person(context: bpy.types.Context, settings: Settings) -> bpy.types.Object | None:
    """The armature whose motion is used: as chosen, else the active person, a selected one, or the only one."""
    if settings.source is not None:
        return settings.source
    everyone = selection.people(context, True)
    meant = selection.people(context, False) or (everyone if len(everyone) == 1 else [])
    return next((item for item in meant if item != settings.character), None)


def character(context: bpy.types.Context, settings: Settings) -> bpy.types.Object | None:
    """The character's armature: as chosen, else the active or another selected one that is no person."""
    if settings.character is not None:
        return settings.character
    active = context.view_layer.objects.active
    near = [active] if active is not None and active.visible_get() and active.select_get() else []
    rigs = [_rig_of(item) for item in (*near, *context.selected_objects)]
    return next((rig for rig in rigs if rig not in (None, settings.source) and not family.is_person(rig)), None)


def _rig_of(item: bpy.types.Object) -> bpy.types.Object | None:
    """The armature that an object is or that deforms it; a mesh stands for its character."""
    return item if item.type == "ARMATURE" else item.find_armature()
