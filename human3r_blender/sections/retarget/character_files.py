# SPDX-License-Identifier: GPL-3.0-or-later
"""A character out of a .blend file, into a scene, and every person's motion onto one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy

from ....engine.contract.errors import UserError
from ....engine.installed.locations import rig_presets_folder
from ...person import blocks, family
from ...rigs import name_patterns, presets, rig_map
from .linked_character import make_editable
from .retargeting import retarget
from ...rigs.rig_map import RigMap
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
    bones = character.data.bones
    known, _ = presets.find_all(rig_presets_folder())
    name = preset or rig_map.recognise(known, bones.keys())
    if name is None:
        return name_patterns.find({bone.name: bone.parent.name if bone.parent else "" for bone in bones})
    return rig_map.resolve(named(known, name), bones.keys())


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


def bring(scene: bpy.types.Scene, path: Path, link: bool = False, armature: str = "") -> bpy.types.Object:
    """A character's armature and what hangs from it in the scene, ready to be animated.

    Raises UserError (``character-unreadable``, ``character-missing``).
    """
    try:
        with bpy.data.libraries.load(str(path), link=link) as (there, wanted):
            wanted.objects = list(there.objects)
            wanted.collections = list(there.collections) if link else []
    except OSError as error:
        raise UserError(
            "character-unreadable",
            "The character file {name} cannot be read: {error}.",
            "Choose a .blend file that this Blender can open.",
            name=path.name,
            error=error,
        ) from error
    item = _rig_among([item for item in wanted.objects if item is not None and item.type == "ARMATURE"], path, armature)
    if link:
        _link(scene, item, wanted.collections)
        made = make_editable(item, scene)
        bpy.context.view_layer.update()
        return made
    for part in (item, *item.children_recursive):
        scene.collection.objects.link(part)
    for part in [part for part in wanted.objects if part is not None and part.users == 0]:
        bpy.data.objects.remove(part)
    bpy.context.view_layer.update()
    return item


def _rig_among(rigs: Sequence[bpy.types.Object], path: Path, name: str) -> bpy.types.Object:
    """The one that is asked for, else the one that is most like a rig that is known."""
    known, _ = presets.find_all(rig_presets_folder())
    fitting = [rig for rig in rigs if not name or rig.name.startswith(name)]
    if not fitting:
        if not rigs:
            raise UserError(
                "character-missing",
                "There is no armature in {file}.",
                "Choose a .blend file with a rigged character.",
                file=path.name,
            )
        raise UserError(
            "character-missing",
            "There is no armature called {name} in {file}.",
            "Use one of its armatures: {found}.",
            name=name,
            file=path.name,
            found=", ".join(rig.name for rig in rigs),
        )

    def likeness(rig: bpy.types.Object) -> tuple[float, int]:
        shares = [rig_map.share_found(preset, rig.data.bones.keys()) for preset in known.values()]
        return max(shares, default=0.0), len(rig.data.bones)

    return max(fitting, key=likeness)


def _link(scene: bpy.types.Scene, item: bpy.types.Object, collections: Sequence[bpy.types.Collection]) -> None:
    """Show a linked rig and what hangs from it: the smallest collection that has it all, or else piece by piece."""
    family = [item, *item.children_recursive]
    around = [
        collection
        for collection in collections
        if collection is not None and set(family) <= set(collection.all_objects)
    ]
    if around:
        scene.collection.children.link(min(around, key=lambda collection: len(collection.all_objects)))
    else:
        for part in family:
            scene.collection.objects.link(part)
