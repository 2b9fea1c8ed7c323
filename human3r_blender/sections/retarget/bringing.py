# SPDX-License-Identifier: GPL-3.0-or-later
"""A character out of a .blend file into a scene: the rig and all that belongs to it, as its own file shows it.

The file's scenes come in for a moment, because they alone know which collections are switched off. What does not belong
to the character leaves again before anything is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ....engine.contract.errors import UserError
from ....engine.installed.locations import rig_presets_folder
from ...blender import kinship
from ...rigs import presets, rig_map
from .linked_character import make_editable

_NOT_BROUGHT = ("libraries", "screens", "shape_keys", "window_managers", "workspaces")
"""Kinds of data-blocks that come and go with others."""


@dataclass
class _Shown:
    """How a file's own scene shows an object."""

    viewport: bool = False
    eye: bool = False
    """Whether it is visible with the eye icons of the Outliner as they are, too."""
    render: bool = False


@dataclass(frozen=True)
class _Loaded:
    objects: list[bpy.types.Object]
    collections: list[bpy.types.Collection]
    scenes: list[bpy.types.Scene]


def bring(scene: bpy.types.Scene, path: Path, link: bool = False, armature: str = "") -> bpy.types.Object:
    """A character's armature in the scene, with its family (`kinship.family`), ready to be animated.

    `armature` names it in a file with several. Raises UserError (``character-unreadable``, ``character-missing``,
    ``character-linked``).
    """
    before = set(_blocks())
    loaded = _load(path, link)
    item = _rig_among([item for item in loaded.objects if item.type == "ARMATURE"], path, armature)
    members = kinship.family(item, loaded.objects)
    shown = _shown_in(next((one for one in loaded.scenes if item.name in one.objects), None), members)
    around = _collection_of(members, loaded.collections) if link else None
    if not link:
        for one in loaded.scenes:
            one.user_remap(scene)  # what drivers read of the scene, they go on reading
    _discard(before, [*before, *members, *([around] if around is not None else [])])
    if around is not None:
        scene.collection.children.link(around)
    else:
        for member in shown:
            if member not in scene.collection.objects.values():  # of somebody else's character that is linked, too
                scene.collection.objects.link(member)
    if link:
        item = make_editable(item, scene)
        made = {} if around is not None else _overrides(set(_blocks()) - before)
        shown = {made.get(member, member): how for member, how in shown.items()} if around is None else {}
    _hide(scene, shown)
    bpy.context.view_layer.update()
    return item


def _load(path: Path, link: bool) -> _Loaded:
    try:
        with bpy.data.libraries.load(str(path), link=link) as (there, wanted):
            wanted.objects, wanted.collections = list(there.objects), list(there.collections)
            wanted.scenes = list(there.scenes)
    except OSError as error:
        raise UserError(
            "character-unreadable",
            "The character file {name} cannot be read: {error}.",
            "Choose a .blend file that this Blender can open.",
            name=path.name,
            error=error,
        ) from error
    return _Loaded(
        *([one for one in found if one is not None] for found in (wanted.objects, wanted.collections, wanted.scenes))
    )


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


def _shown_in(scene: bpy.types.Scene | None, members: Sequence[bpy.types.Object]) -> dict[bpy.types.Object, _Shown]:
    """How the character's own scene shows the members that are in it; all as visible where the rig is in none."""
    if scene is None:
        return {member: _Shown(True, True, True) for member in members}
    layer = scene.view_layers[0]
    states = {member: _Shown() for member in members if member.name in scene.objects}
    _look(layer.layer_collection, states, _Shown(True, True, True), set())
    if not any(state.viewport or state.render for state in states.values()):
        # a character that is kept in a collection that is switched off: what of it is to be seen is in there
        around = {one for one in scene.collection.children_recursive if members[0] in one.all_objects.values()}
        _look(layer.layer_collection, states, _Shown(True, True, True), around)
    for member, state in states.items():
        state.eye = state.eye and not member.hide_get(view_layer=layer)
    return states


def _look(
    layer: bpy.types.LayerCollection,
    states: dict[bpy.types.Object, _Shown],
    above: _Shown,
    opened: set[bpy.types.Collection],
) -> None:
    """Follow the collections of a view layer; `opened` count as switched on."""
    here, there = layer.collection, layer.exclude
    if here not in opened:
        above = _Shown(
            above.viewport and not there and not here.hide_viewport,
            above.eye and not there and not here.hide_viewport and not layer.hide_viewport,
            above.render and not there and not here.hide_render,
        )
    for item in here.objects:
        state = states.get(item)
        if state is not None:
            state.viewport, state.eye = state.viewport or above.viewport, state.eye or above.eye
            state.render = state.render or above.render
    for child in layer.children:
        _look(child, states, above, opened)


def _hide(scene: bpy.types.Scene, shown: dict[bpy.types.Object, _Shown]) -> None:
    """Hide what the character's own file does not show."""
    layer = scene.view_layers[0]
    for member, how in shown.items():
        if member.library is not None:  # nothing of it can be changed; what needs it does so unseen as well
            if not (how.eye and how.render):
                scene.collection.objects.unlink(member)
            continue
        member.hide_viewport = member.hide_viewport or not how.viewport
        member.hide_render = member.hide_render or not how.render
        if how.viewport and not how.eye:
            member.hide_set(True, view_layer=layer)


def _collection_of(
    members: Sequence[bpy.types.Object], collections: Sequence[bpy.types.Collection]
) -> bpy.types.Collection | None:
    """The smallest linked collection that holds the character and nobody else; None where there is none."""
    wanted = set(members)
    drawn = {bone.custom_shape for rig in members if rig.type == "ARMATURE" for bone in rig.pose.bones}
    fitting = [one for one in collections if wanted <= set(one.all_objects) <= wanted | drawn]
    return min(fitting, key=lambda one: len(one.all_objects), default=None)


def _overrides(made: Iterable[bpy.types.ID]) -> dict[bpy.types.Object, bpy.types.Object]:
    """By linked object, its override among some data-blocks."""
    return {
        block.override_library.reference: block
        for block in made
        if isinstance(block, bpy.types.Object) and block.override_library is not None
    }


def _blocks() -> Iterator[bpy.types.ID]:
    """All data-blocks of the file."""
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION" and kind.identifier not in _NOT_BROUGHT:
            yield from getattr(bpy.data, kind.identifier)


def _discard(before: set[bpy.types.ID], wanted: Iterable[bpy.types.ID]) -> None:
    """Remove the data-blocks that came since and that nothing wanted needs."""
    uses: dict[bpy.types.ID, set[bpy.types.ID]] = {}
    for block, users in bpy.data.user_map().items():
        for user in users:
            uses.setdefault(user, set()).add(block)
    kept, open_ends = set(), list(wanted)
    while open_ends:
        block = open_ends.pop()
        if block not in kept:
            kept.add(block)
            open_ends += uses.get(block, ())
    bpy.data.batch_remove([block for block in _blocks() if block not in before and block not in kept])
