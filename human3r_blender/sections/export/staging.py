# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene of its own for Blender's exporters: clean copies of the people, one key a frame, from frame 0 on.

The root's place and scale are in the copies' keys and meshes, the captured shape is in the mesh's basis, and nothing of
the user's scene is touched or exported by mistake: what has a name that the file needs lends it. Everything is removed
and given back at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction

import bpy

from ...blender import turns
from ...blender.timing import rate_as_blender
from . import backdrops
from .character_motion import CharacterMotion
from .motion import Clock, PersonMotion
from .naming import Room
from .staged_camera import stage_camera
from .staged_character import stage_character
from .staged_keys import Space
from .staged_person import Style, stage_person

_METERS = Space()


@dataclass(frozen=True)
class Stage:
    """What the exporters see: everything in the scene is to be exported, and selected."""

    scene: bpy.types.Scene
    armatures: tuple[bpy.types.Object, ...]
    """In the order of the people."""
    room: Room


@contextmanager
def staged(
    clip: str,
    people: Sequence[PersonMotion | CharacterMotion],
    rate: Fraction,
    space: Space = _METERS,
    camera: tuple[bpy.types.Object, bpy.types.Scene, Clock] | None = None,
    armature_name: str = "",
    scenery: tuple[Sequence[backdrops.StagedBackdrop], str] = ((), ""),
    style: Style | None = None,
) -> Iterator[Stage]:
    """People and characters, or the camera alone, in a scene called `clip`, as exporters call the animation as well.

    `camera` is put in as its scene shows it at the export's frames. `armature_name` replaces the people's own names.
    `scenery` are backdrops and the kind of their materials.
    """
    style = style or Style()
    kept_blocks = [(collection, set(collection)) for collection in _collections()]
    scene, room = bpy.data.scenes.new(clip), Room()
    try:
        room.name(scene, clip)
        frames = len(people[0].motion) if people or camera is None else len(camera[2].scene_frames)
        _set_up(scene, rate, frames, space)
        armatures: list[bpy.types.Object] = []
        for person, label in zip(people, style.labels(people), strict=True):
            share = armatures[0] if armatures else None
            name = armature_name or label
            if isinstance(person, CharacterMotion):
                staged = stage_character(scene, room, person, name, clip, space, style, share)
            else:
                staged = stage_person(scene, room, person, name, clip, space, style, share)
            armatures.append(staged)
        if camera is not None:
            stage_camera(scene, room, space, *camera)
        for one in scenery[0]:
            backdrops.stage(scene, room, one, space, scenery[1])
        with _in_use(scene, armatures[0] if armatures else scene.camera):
            yield Stage(scene, tuple(armatures), room)
    finally:
        bpy.data.scenes.remove(scene)
        for collection, kept in kept_blocks:
            for block in set(collection) - kept:
                with suppress(ReferenceError):
                    collection.remove(block)
        room.give_back()


def add_locators(stage: Stage) -> None:
    """An empty at each joint, for formats without skeletons, called like the armature and the bone."""
    for skeleton in stage.armatures:
        # all bones of a character deform it, as do a person's joints
        for bone in [bone for bone in skeleton.data.bones if bone.use_deform]:
            item = bpy.data.objects.new(f"{skeleton.name}_{bone.name}", None)
            stage.room.name(item, f"{skeleton.name}_{bone.name}")
            item.parent, item.parent_type, item.parent_bone = skeleton, "BONE", bone.name
            item.location = (0.0, -bone.length, 0.0)  # children of bones start at their tails
            item.empty_display_size = bone.length / 5
            stage.scene.collection.objects.link(item)
            item.select_set(True, view_layer=stage.scene.view_layers[0])


def _collections() -> tuple[bpy.types.bpy_prop_collection, ...]:
    """Where staging and exporters make data-blocks."""
    data = bpy.data
    return data.objects, data.armatures, data.meshes, data.cameras, data.actions, data.materials, data.images


def _set_up(scene: bpy.types.Scene, rate: Fraction, frames: int, space: Space) -> None:
    scene.render.fps, scene.render.fps_base = rate_as_blender(float(rate))
    scene.frame_start, scene.frame_end = 0, frames - 1
    scene.unit_settings.system = "METRIC"
    scene.unit_settings.scale_length = 1 / space.units


@contextmanager
def _in_use(scene: bpy.types.Scene, active: bpy.types.Object) -> Iterator[None]:
    """The scene as operators find it: all of it selected."""
    layer = scene.view_layers[0]
    for item in scene.objects:
        item.select_set(True, view_layer=layer)
    layer.objects.active = active
    override = bpy.context.temp_override(
        scene=scene,
        view_layer=layer,
        collection=scene.collection,
        active_object=active,
        object=active,
        selected_objects=list(scene.objects),
    )
    with turns.operators_allowed(), override:
        # Some exporters read the objects themselves, not what is evaluated: only the graph of a scene that is in
        # use, as asking for it makes it, writes back to them, and only what it computes from then on.
        bpy.context.evaluated_depsgraph_get()
        for item in scene.objects:
            item.update_tag()
        scene.frame_set(0)
        yield
