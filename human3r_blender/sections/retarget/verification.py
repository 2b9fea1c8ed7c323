# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the character really does what was meant: Blender evaluates the baked rig at some frames, it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ....engine.contract.sentences import Sentence
from ...blender.evaluation import bone_matrices, evaluating, world_matrix
from ...blender.vectors import angle_between, turned
from ...person.sampling import Sample
from .calibration import SEGMENTS
from .character import Character
from ...rigs.rig_map import RigMap
from ...rigs.slots import label, source_joint
from .transfer import Transfer, source_figure

_FRAMES = 12


@dataclass(frozen=True)
class Report:
    """What came out, measured on the evaluated rig at some frames of the motion."""

    character: str
    """Name of the character's armature."""
    action: str
    """Name of its new Action."""
    frames: int
    """How many frames have keys."""
    scale: float
    """Length of the character's legs over that of the person's."""
    limb_angle_rad: float
    """Largest angle between a limb of the character and the person's, limbs that reach for a goal left
    out."""
    limb: str
    """The limb that it was seen on."""
    reach_m: float
    """Largest distance of a hand or a foot from where it was to be; 0 where none had a goal."""
    loose: tuple[str, ...] = ()
    """Controls that follow no other exactly, so that their keys are approximate."""

    def describe(self) -> Sentence:
        """One sentence for the panel and the command line."""
        template = "{action}: {frames} frames, limbs within {angle}°"
        if self.limb_angle_rad > np.radians(1.0):
            template += " ({limb})"
        if self.reach_m > 0:
            template += ", hands and feet within {reach} mm"
        return Sentence(
            template + ".",
            action=self.action,
            frames=self.frames,
            angle=f"{np.degrees(self.limb_angle_rad):.2f}",
            limb=self.limb,
            reach=f"{1000 * self.reach_m:.1f}",
        )


def verify(
    item: bpy.types.Object,
    scene: bpy.types.Scene,
    rig: RigMap,
    character: Character,
    source: Sample,
    transfer: Transfer,
    keep_directions: bool,
) -> Report:
    """Measure a character that has its new Action."""
    rows = np.unique(np.linspace(0, len(source.frames) - 1, _FRAMES).round().astype(int))
    slots = [slot for slot in rig.bones if slot != "root"]
    names = [rig.shown(slot)[0] for slot in slots]
    heads = np.empty((len(rows), len(slots), 3))
    with evaluating(item, scene) as evaluation:
        for place, row in enumerate(rows):
            evaluated = evaluation.at(float(source.frames[row]))
            world = world_matrix(evaluated)
            heads[place] = bone_matrices(evaluated, names)[:, :3, 3] @ world[:3, :3].T + world[:3, 3]
    figure, worst, where = source_figure(source), 0.0, ""
    for slot in character.limb_axes if keep_directions else ():
        rest = figure.direction(slot)
        if rest is None or _has_goal(slot, transfer):
            continue
        wanted = turned(transfer.placement.turn @ source.turns[rows, source_joint(slot)], rest)
        found = heads[:, slots.index(SEGMENTS[slot])] - heads[:, slots.index(slot)]
        angle = float(angle_between(wanted, found).max())
        if angle >= worst:
            worst, where = angle, label(slot)
    off = [
        np.linalg.norm(heads[:, slots.index(slot)] - goal[rows], axis=-1).max() for slot, goal in transfer.goals.items()
    ]
    return Report(
        item.name,
        item.animation_data.action.name,
        len(source.frames),
        transfer.placement.scale,
        worst,
        where,
        float(max(off, default=0.0)),
        character.model.loose,
    )


def _has_goal(slot: str, transfer: Transfer) -> bool:
    """Whether a limb was solved for a goal instead of keeping its direction."""
    side, _, name = slot.rpartition("_")
    legs = {"hip", "knee"} if {f"{side}_foot", f"{side}_ankle"} & transfer.goals.keys() else set()
    arms = {"shoulder", "elbow"} if f"{side}_wrist" in transfer.goals else set()
    return name in legs | arms
