# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of people: take by take, with color, name, frames seen, and the eye."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import bpy
from bpy.props import FloatVectorProperty

from ...blender import tags
from ...blender.text import tr
from ...person import blocks, colors, family, shape_record

LISTED_PEOPLE = 12
_NO_COLOR = (0.8, 0.8, 0.8, 1.0)
_SWATCH, _COUNT = 1.2, 2.0
"""Widths in those of an icon."""


def by_take(people: Sequence[bpy.types.Object]) -> list[tuple[str, list[bpy.types.Object]]]:
    """People with the names of their takes, in the order of these."""
    groups = [list(group) for _, group in groupby(people, key=lambda item: item[tags.TAKE])]
    named = [(root.name if (root := family.root(group[0])) is not None else "", group) for group in groups]
    return sorted(named, key=lambda pair: pair[0])


def frames_seen(armature: bpy.types.Object) -> int:
    """How many frames of the footage show a person; 0 where nobody knows."""
    raw = family.action(armature, tags.RAW)
    return shape_record.count(raw) if raw is not None else 0


def draw_people(
    layout: bpy.types.UILayout, people: Sequence[bpy.types.Object], chosen: Sequence[bpy.types.Object]
) -> None:
    """The first of them, and how many more there are."""
    groups, left = by_take(people), LISTED_PEOPLE
    for name, group in groups:
        column = layout.column(align=True)
        if left:
            _draw_heading(column.row(align=True), name or tr("Without a take"))
        for armature in group[:left]:
            _draw_person(column.row(align=True), armature, armature in chosen)
        left = max(0, left - len(group))
    if len(people) > LISTED_PEOPLE:
        layout.label(text=tr("and {count} more", count=len(people) - LISTED_PEOPLE))


def _draw_heading(row: bpy.types.UILayout, take: str) -> None:
    row.label(text=take, icon="FILE", translate=False)
    count = row.row()
    count.alignment = "RIGHT"
    count.label(text="Frames")
    count.label(text="", icon="BLANK1")


def _draw_person(row: bpy.types.UILayout, armature: bpy.types.Object, is_chosen: bool) -> None:
    swatch = row.row(align=True)
    swatch.ui_units_x = _SWATCH
    swatch.prop(armature, "human3r_color", text="")
    row.operator("human3r.select_person", text=armature.name, translate=False, depress=is_chosen).name = armature.name
    if seen := frames_seen(armature):
        count = row.row(align=True)
        count.ui_units_x = _COUNT
        count.alignment = "RIGHT"
        count.label(text=str(seen), translate=False)
    hidden = blocks.is_hidden(armature)
    eye = row.operator("human3r.hide_people", text="", icon="HIDE_ON" if hidden else "HIDE_OFF")
    eye.hide, eye.person = not hidden, armature.name


def _color(item: bpy.types.Object) -> Sequence[float]:
    body = family.mesh(item) if family.is_person(item) else None
    return tuple(body.color) if body is not None else _NO_COLOR


def _set_color(item: bpy.types.Object, color: Sequence[float]) -> None:
    body = family.mesh(item) if family.is_person(item) else None
    if body is not None:
        colors.paint(body, color)


def switch_on() -> None:
    bpy.types.Object.human3r_color = FloatVectorProperty(
        name="Color",
        subtype="COLOR",
        size=4,
        min=0.0,
        max=1.0,
        get=_color,
        set=_set_color,
        description="Color of this person, in the viewport and in renders",
    )


def switch_off() -> None:
    del bpy.types.Object.human3r_color
