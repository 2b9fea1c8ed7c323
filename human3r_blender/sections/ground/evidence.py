# SPDX-License-Identifier: GPL-3.0-or-later
"""What floor and scale of a take rest on, in words."""

from __future__ import annotations

import bpy

from ...blender import tags
from ...blender.text import tr
from ...person.selection import names
from ...person.stature import stature_m
from ...scene import ground_alignment, scale


def floor_lines(root: bpy.types.Object) -> list[str]:
    """What the floor of a take rests on, a line each; nothing where that is not known."""
    found = ground_alignment.evidence_of(root)
    if found is None:
        return []
    lines = []
    if found.people:
        values = {"seconds": f"{found.standing_s:.1f}", "spread": f"{100 * found.sole_spread_m:.1f}"}
        one = tr("Feet of 1 person stand on it for {seconds} s, {spread} cm off", **values)
        many = tr("Feet of {count} people stand on it for {seconds} s, {spread} cm off", count=found.people, **values)
        lines.append(one if found.people == 1 else many)
    if found.upright:
        lean = f"{found.lean_deg:.1f}"
        lines.append(tr("Upright bodies: {count}, {lean} degrees off", count=found.upright, lean=lean))
    if found.points:
        lines.append(tr("Scene points on it: {count}", count=found.points))
    return lines or [tr("Not sure: nobody stands on it, and no scene points lie on it")]


def scale_lines(root: bpy.types.Object, person: bpy.types.Object | None) -> list[str]:
    """How tall a person is, and what the scale of the take rests on, a line each."""
    lines = []
    stature = stature_m(person) if person is not None else None
    if person is not None and stature is not None:
        lines.append(tr("{name} is {height} m tall", name=person.name, height=f"{stature:.2f}"))
    told = _scale_line(root)
    return [*lines, told] if told else lines


def _scale_line(root: bpy.types.Object) -> str:
    source = scale.source_of(root)
    if source == scale.GIVEN:
        return tr(
            "Scale from the height that was given, {height} m", height=f"{tags.number(root, scale.STATURE, 0.0):.2f}"
        )
    if source == scale.USUAL:
        return tr("Scale from how tall people are: 1.70 m, give or take 9 cm; it may be 5 % off")
    if source == scale.MODEL:
        return tr("Scale as the model predicts it")
    if source == scale.LENGTH:
        return tr("Scale from a known length")
    if source == scale.HEIGHTS:
        known = list(scale.known_heights(root))
        if not known:
            return tr("Scale from a known height")
        if len(known) == 1:
            return tr("Scale from {name}'s height", name=known[0].name)
        return tr("Scale from the heights of {names}", names=names(known))
    return tr("Scaled by hand") if source == scale.HAND else ""
