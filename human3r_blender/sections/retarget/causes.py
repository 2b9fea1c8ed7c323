# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a character does not do what it was given: what else moves its bones, or which bones are not the right ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ....engine.contract.sentences import Sentence
from ...blender import keyframes
from ...rigs.slots import label
from .calibration import SEGMENTS
from .comparing import Comparison, Deviation
from .playing import bone_of

_CHANNELS = ("location", "rotation", "scale", "matrix")


@dataclass(frozen=True)
class Cause:
    """What is in the way, and what to do about it."""

    text: Sentence
    remedy: Sentence


def find(item: bpy.types.Object, compared: Comparison, wrong: Sequence[Deviation]) -> list[Cause]:
    """The likely causes of what is wrong, the surest first; empty where nothing is found."""
    found = [
        *_moved_as_a_whole(item, compared),
        *(cause for bone in _concerned(item, compared, wrong) for cause in _of_bone(item, bone, compared)),
        *_nla(item),
        *_without_a_place(wrong),
        *_not_carried(compared, wrong),
        *_out_of_reach(wrong),
        *_loose(compared, wrong),
    ]
    return list(dict.fromkeys(found))


def _concerned(item: bpy.types.Object, compared: Comparison, wrong: Sequence[Deviation]) -> list[bpy.types.PoseBone]:
    """The bones that show what is wrong, their controls, and all above these; those that are nearest first."""
    names = [name for deviation in wrong for name in (*deviation.bones, *compared.rig.bones.get(deviation.slot, ()))]
    bones = [item.pose.bones[name] for name in dict.fromkeys(names)]
    return list(dict.fromkeys([*bones, *(above for bone in bones for above in bone.parent_recursive)]))


def _of_bone(item: bpy.types.Object, bone: bpy.types.PoseBone, compared: Comparison) -> Iterator[Cause]:
    given_keys = bone.name in compared.character.model.names
    for constraint in bone.constraints:
        target = getattr(constraint, "target", None)
        # between the bones of one rig they are how it works, unless they hold a control that has keys
        if constraint.mute or not constraint.influence or not (given_keys or target not in (None, item)):
            continue
        yield Cause(
            Sentence("The constraint {name} on {bone} moves it too.", name=constraint.name, bone=bone.name),
            Sentence("Disable the constraint (Bone Constraints), then retarget again."),
        )
    for driver in item.animation_data.drivers if item.animation_data else ():
        channel = driver.data_path.rpartition(".")[2]
        if bone_of(driver.data_path) == bone.name and channel.startswith(_CHANNELS) and not driver.mute:
            yield Cause(
                Sentence("A driver sets the {channel} of {bone}.", channel=channel, bone=bone.name),
                Sentence("Delete or mute the driver (Drivers editor), then retarget again."),
            )
            return


def _moved_as_a_whole(item: bpy.types.Object, compared: Comparison) -> Iterator[Cause]:
    worlds, still = compared.observed.worlds, compared.character.world
    if np.abs(worlds - still).max() <= 1e-4 * max(np.abs(still).max(), 1.0):
        return
    held = [constraint for constraint in item.constraints if not constraint.mute and constraint.influence]
    if held:
        text = Sentence("The constraint {mover} moves the armature {name} itself.", mover=held[0].name, name=item.name)
    elif item.parent:
        text = Sentence("{mover} moves the armature {name} itself.", mover=item.parent.name, name=item.name)
    else:
        text = Sentence("A driver moves the armature {name} itself.", name=item.name)
    yield Cause(text, Sentence("Remove what moves the armature object or its parent, then retarget again."))


def _nla(item: bpy.types.Object) -> Iterator[Cause]:
    tracks = sorted({track.name for track in item.animation_data.nla_tracks for strip in track.strips
                     if strip in keyframes.playing_strips(item)})  # fmt: skip
    if tracks:
        yield Cause(
            Sentence("NLA tracks play on the character: {names}.", names=", ".join(tracks)),
            Sentence("Mute these tracks in the Nonlinear Animation editor, then retarget again."),
        )


def _without_a_place(wrong: Sequence[Deviation]) -> Iterator[Cause]:
    for deviation in wrong:
        if deviation.kind == "between":
            start, bone, end = deviation.bones
            yield Cause(
                Sentence("{bone} lies between {start} and {end}, and the limb bends there.",
                         bone=bone, start=start, end=end),
                Sentence("In the list of bones, choose {bone} for {part}.",
                         bone=bone, part=label(SEGMENTS[deviation.slot])),
            )  # fmt: skip


def _not_carried(compared: Comparison, wrong: Sequence[Deviation]) -> Iterator[Cause]:
    """Parts of the figure that stay behind where the root control is moved."""
    character = compared.character
    carried = character.model.carried_by(character.root, character.model.order())
    root = character.model.names[character.root]
    for deviation in wrong:
        control, behind = character.control(deviation.slot), deviation.bones[-1]
        if deviation.kind == "torn" and behind in compared.observed.others:
            part = behind
        elif deviation.kind in ("torn", "hips", "trunk", "limb") and control is not None and not carried[control]:
            part = character.model.names[control]
        else:
            continue
        yield Cause(
            Sentence("{part} does not follow {root}, which is taken for the bone that moves the whole body.",
                     part=part, root=root),
            Sentence("In the list of bones, choose the bone that carries legs, spine and all the rest as Root."),
        )  # fmt: skip
        return


def _out_of_reach(wrong: Sequence[Deviation]) -> Iterator[Cause]:
    if wrong and all(deviation.kind == "goal" for deviation in wrong):
        yield Cause(
            Sentence("{part} is out of reach for the character's proportions.", part=label(wrong[0].slot)),
            Sentence("Turn off Plant Feet, or use FK controls, if directions matter more than places."),
        )


def _loose(compared: Comparison, wrong: Sequence[Deviation]) -> Iterator[Cause]:
    loose = [name for name in compared.character.model.loose
             if any(name in compared.rig.bones.get(deviation.slot, ()) for deviation in wrong)]  # fmt: skip
    if loose:
        yield Cause(
            Sentence("These controls follow more than one bone: {names}.", names=", ".join(loose)),
            Sentence("Choose controls that follow one bone in the list of bones, or switch their followers off."),
        )
