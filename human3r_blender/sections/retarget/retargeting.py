# SPDX-License-Identifier: GPL-3.0-or-later
"""Retargeting from beginning to end: a person in the scene, a character, and a new Action on it."""

from __future__ import annotations

import bpy
import numpy as np

from ....engine.contract.errors import UserError
from ...blender import turns as taking_turns
from ...blender.slices import GOES_ON, Slices, sliceable
from ...person import characters, sampling
from ...rigs.rig_map import RigMap
from . import baking, matched_pose, playing, root_motion
from .calibration import calibrate
from .character import study, switch_values
from .settings import RetargetSettings
from .transfer import source_figure, transfer
from .verification import Report, verify


@sliceable
def retarget(
    source: bpy.types.Object,
    item: bpy.types.Object,
    scene: bpy.types.Scene,
    rig: RigMap,
    settings: RetargetSettings | None = None,
) -> Slices[Report]:
    """Put a person's motion on a character, as a new Action named after both. Raises UserError; then nothing changed.

    `source` is a person's armature, `item` the character's, which must be the file's own or a library override.
    """
    settings = settings or RetargetSettings()
    if item.type != "ARMATURE" or item is source:
        raise UserError(
            "character-unfit",
            "{name} is not the armature of a character.",
            "Choose the armature of the character's rig.",
            name=item.name,
        )
    if item.library is not None:
        raise UserError(
            "character-linked",
            "{name} is linked and cannot be animated here.",
            "Make a library override of it: Object > Library Override > Make.",
            name=item.name,
        )
    rig.check(item.pose.bones.keys())
    rig = root_motion.mapped(rig, item, settings.root_motion)
    motion = yield from sampling.sample.in_slices(source, scene, _frames(source, scene, settings))
    character = study(item, scene, rig, settings.controls)
    by_limbs = settings.calibration == "LIMBS"
    if by_limbs:
        turns = calibrate(source_figure(motion), character.figure)
        calibration = np.stack([turns[slot] if slot else np.eye(3) for slot in character.slots])
    else:
        calibration = matched_pose.calibration(item, character)
    yield None
    computing = taking_turns.submit("human3r-retarget", transfer, motion, character, calibration, settings, by_limbs)
    moved = yield from taking_turns.result_of(computing)
    switches = switch_values(item, rig, settings.controls)
    yield GOES_ON
    action = yield from baking.bake(item, f"{source.name} on {item.name}", motion.frames, character, moved, switches)
    characters.mark(action, source)
    yield GOES_ON
    notes = playing.play_alone(item, _bones_of(item, rig))
    yield GOES_ON
    return verify(item, scene, rig, settings.controls, character, motion, moved, calibration, by_limbs, notes)


def _bones_of(item: bpy.types.Object, rig: RigMap) -> set[str]:
    """The names of the bones that take part in the figure: all that the map names, and all above them."""
    controls = [name for limb in rig.ik.values() for name in (limb.target, limb.pole, limb.toe) if name]
    names = {name for part in (*rig.bones.values(), *rig.measured.values(), controls) for name in part}
    return names | {above.name for name in names for above in item.pose.bones[name].parent_recursive}


def _frames(source: bpy.types.Object, scene: bpy.types.Scene, settings: RetargetSettings) -> np.ndarray:
    """(T,) scene frames to bake: whole ones, or as many per second as the settings say."""
    first, last = sampling.frames_of(source)
    start = np.ceil(first - 1e-3) if settings.frame_start is None else settings.frame_start
    end = np.floor(last + 1e-3) if settings.frame_end is None else settings.frame_end
    if end < start:
        raise UserError(
            "bad-setting",
            "The frame range to bake ends at {end}, before it starts at {start}.",
            "Choose a range with at least one frame of the person's motion.",
            end=f"{end:g}",
            start=f"{start:g}",
        )
    rate = scene.render.fps / scene.render.fps_base
    step = rate / settings.key_rate if settings.key_rate else 1.0
    return start + step * np.arange(int(np.floor((end - start) / step + 1e-6)) + 1)
