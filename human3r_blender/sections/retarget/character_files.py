# SPDX-License-Identifier: GPL-3.0-or-later
"""A character out of a .blend file, into a scene, and every person's motion onto one of its own."""

from __future__ import annotations

from pathlib import Path

import bpy

from ....engine.contract.errors import UserError
from ....engine.installed.locations import rig_presets_folder
from ...person import blocks, family
from ...rigs import hierarchy, presets, recognition
from ...rigs.rig_map import RigMap
from .bringing import bring
from .retargeting import retarget
from .settings import RetargetSettings
from .verification import Report


def retarget_file(
    scene: bpy.types.Scene,
    path: Path,
    preset: str = "",
    settings: RetargetSettings | None = None,
    link: bool = False,
    armature: str = "",
) -> list[Report]:
    """Bring a character into a scene once for each person in it, and put their motions on them.

    `preset` is a rig preset's name; empty: the one that fits, or else bones are found by their names. With `link` the
    character stays in its file and becomes a library override. `armature` names the rig in a file with several. Raises
    UserError.
    """
    reports = []
    for person in people(scene):
        character = bring(scene, path, link, armature)
        reports.append(retarget(person, character, scene, find_rig(character, preset), settings))
    return reports


def people(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The armatures of a scene's people, take by take; without those who were hidden as a whole."""
    return [item for item in family.people_in(scene) if not blocks.is_hidden(item)]


def find_rig(character: bpy.types.Object, preset: str = "") -> RigMap:
    """The bones of a character by a preset, or by what fits. Raises UserError (``preset-unknown``)."""
    parents = hierarchy.parents_of(character)
    known, _ = presets.find_all(rig_presets_folder())
    if preset:
        return recognition.by_preset(named(known, preset), parents)
    return recognition.find(parents, known).rig


def named(known: dict[str, presets.Preset], name: str) -> presets.Preset:
    """The preset called so, whatever the case. Raises UserError (``preset-unknown``)."""
    for known_name, preset in known.items():
        if known_name.lower() == name.lower():
            return preset
    raise UserError(
        "preset-unknown",
        "There is no rig preset called {name}.",
        "Use one of: {known}.",
        name=repr(name),
        known=", ".join(known),
    )
