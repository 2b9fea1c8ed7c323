# SPDX-License-Identifier: GPL-3.0-or-later
"""Which people an operator works on, and how it says no."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ...engine.contract.errors import UserError
from ..blender import busy, tags
from ..blender.text import tr
from . import family

NAMED = 3
"""So many people are named in a report; more are counted."""


def people(context: bpy.types.Context, everyone: bool) -> list[bpy.types.Object]:
    """The armatures of a scene's people, take by take; without `everyone`, of those that are selected, the active one
    first. A mesh stands for the person whose it is, and the active person is meant too while hidden: nobody can select
    who is away at the current frame.
    """
    found = family.people_in(context.scene)
    if everyone:
        return found
    chosen = {family.person_of(item) for item in context.selected_objects}
    item = context.view_layer.objects.active  # `context.active_object` is None in a 3D view that does not show it
    active = family.person_of(item)
    if active is not None and not item.visible_get():
        chosen.add(active)
    return sorted((item for item in found if item in chosen), key=lambda item: item != active)


def of_one_take(context: bpy.types.Context, item: bpy.types.Object) -> list[bpy.types.Object]:
    """The people who were seen in the same take as one of them."""
    return [other for other in people(context, True) if other[tags.TAKE] == item[tags.TAKE]]


def may_edit_people(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether there are people, and no run that is still adding to them; sets the poll message where not."""
    if not busy.nothing_runs(operator):
        return False
    if not people(context, True):
        operator.poll_message_set(tr("There are no people in this scene: capture footage or import a take first"))
        return False
    return True


def refuse_none(chosen: Sequence[bpy.types.Object]) -> None:
    """Raises UserError (``nobody-selected``) where nobody is chosen."""
    if not chosen:
        raise UserError(
            "nobody-selected", "No people are selected.", "Select the armature or the mesh of a person made by Human3R."
        )


def refuse_unfit(chosen: Sequence[bpy.types.Object]) -> None:
    """Raises UserError (``nobody-selected``, ``person-linked``, ``person-in-tweak-mode``) where nobody is chosen, or
    somebody whom Blender does not let anybody change.
    """
    refuse_none(chosen)
    for item in chosen:
        blocks = [item, *family.animated(item), *family.actions(item).values()]
        if any(block.library is not None or block.override_library is not None for block in blocks):
            raise UserError(
                "person-linked",
                "{name} comes from another file and cannot be changed here.",
                "Edit the person in that file, or make a copy of your own: Object > Relations > Make Local > All.",
                name=item.name,
            )
        if any(block.animation_data is not None and block.animation_data.use_tweak_mode for block in blocks[:1]):
            raise UserError(
                "person-in-tweak-mode",
                "An NLA strip of {name} is being edited.",
                "Leave tweak mode first: press Tab in the Nonlinear Animation editor.",
                name=item.name,
            )


def names(chosen: Sequence[bpy.types.Object]) -> str:
    """Who was worked on, in a few words."""
    return ", ".join(item.name for item in chosen) if len(chosen) <= NAMED else tr("{count} people", count=len(chosen))
