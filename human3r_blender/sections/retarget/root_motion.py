# SPDX-License-Identifier: GPL-3.0-or-later
"""Root motion: the way over the floor and the heading go to a bone on the floor, and the hips keep the rest.

Nothing else moves otherwise than without it: all other controls get their keys relative to that bone.
"""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np

from ....engine.contract.errors import UserError
from ....engine.contract.rotations import axis_angle_to_matrix, matrix_to_quaternion
from ....engine.motion.root_motion import headings
from ...blender import bone_ties
from ...blender.vectors import shortest_rotation
from ...rigs.rig_map import RigMap
from ...rigs.slots import ROOT_MOTION
from .character import Character

_VERTICAL = np.array([0.0, 0.0, 1.0])
_AT_THE_HIPS = 0.25
"""Share of a leg's length up to which a bone counts as one at the hips, and not on the floor."""


def mapped(rig: RigMap, item: bpy.types.Object, wanted: bool) -> RigMap:
    """The mapping with a bone that carries root motion if that is `wanted`, and without one if it is not.

    Where the mapping names none, it is the topmost bone above the one that carries the hips. Raises UserError
    (``root-bone-missing``).
    """
    bones = {slot: names for slot, names in rig.bones.items() if slot != ROOT_MOTION}
    if not wanted:
        return replace(rig, bones=bones)
    name = next(iter(rig.bones.get(ROOT_MOTION, ())), "") or _topmost(rig, item)
    if not name:
        raise UserError(
            "root-bone-missing",
            "{name} has no bone on the floor for the root motion.",
            "Turn off Root Motion, or choose such a bone as Root Motion in the list of bones.",
            name=item.name,
        )
    return replace(rig, bones={ROOT_MOTION: (name,), **bones})


def _topmost(rig: RigMap, item: bpy.types.Object) -> str:
    """The bone that all others hang from, if it is not at the hips; empty without one."""
    bones = item.data.bones
    carrier = bones[rig.bones.get("root", rig.bones["pelvis"])[0]]
    top = bones[[carrier.name, *bone_ties.line_up(item, carrier.name)][-1]]
    leg = [bones[rig.bones[f"left_{joint}"][0]].head_local for joint in ("hip", "knee", "ankle")]
    length = (leg[1] - leg[0]).length + (leg[2] - leg[1]).length
    is_low = (top.head_local - carrier.head_local).length > _AT_THE_HIPS * length
    return str(top.name) if is_low else ""


def on_the_floor(character: Character, motions: np.ndarray, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 3, 3) rotations and (T, 3) places of the bone for root motion, in the armature's space.

    `motions` (T, C, 3, 3) and `heads` (T, C, 3) are those of all controls. The bone stays at the height where it rests,
    upright, as far before or behind the hips as it rests.
    """
    control, pelvis = character.root_motion, character.control("pelvis")
    assert control is not None
    pelvis = character.root if pelvis is None else pelvis  # one bone may be both
    turn, linear, place = character.turn, character.world[:3, :3], character.world[:3, 3]
    stand = shortest_rotation(_VERTICAL, character.figure.up)
    hips = turn @ motions[:, pelvis] @ turn.T @ stand
    angles = headings(matrix_to_quaternion(hips), _VERTICAL)
    turns = axis_angle_to_matrix(angles[:, None] * _VERTICAL) @ stand.T
    legs = [character.slots.index(f"{side}_hip") for side in ("left", "right")]
    rest = character.model.rest[:, :3, 3]
    places = (
        heads[:, legs].mean(axis=1) @ linear.T + turns @ (linear @ (rest[control] - rest[legs].mean(axis=0))) + place
    )
    places[:, 2] = (linear @ rest[control] + place)[2]
    return turn.T @ turns @ turn, (places - place) @ np.linalg.inv(linear).T
