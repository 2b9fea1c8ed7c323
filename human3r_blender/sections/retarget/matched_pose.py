# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibration by hand: this pose of the character equals that pose of the source. Kept on the character's object."""

from __future__ import annotations

import json

import bpy
import numpy as np

from ....engine.contract import rotations
from ....engine.contract.errors import UserError
from ....engine.contract.json_checks import BadJson, checked, parse_json
from ...blender.evaluation import at_rest, bone_matrices, evaluating, world_matrix
from ...blender.vectors import blend, nearest_rotation, transposed
from ...person import sampling
from ...rigs.rig_map import RigMap
from ...rigs.slots import ROOT_MOTION, spread
from .character import Character, switch_values

PROPERTY = "human3r_matched_pose"
"""Custom property of the character: per bone, the world rotation (quaternion wxyz) that makes its rest the source's."""


def match(source: bpy.types.Object, item: bpy.types.Object, scene: bpy.types.Scene, rig: RigMap, controls: str) -> int:
    """Take the current poses of both for equal, and keep what follows on the character. Returns how many bones.

    Raises UserError.
    """
    rig.check(item.pose.bones.keys())
    now = sampling.sample(source, scene, np.array([scene.frame_current_final]))
    shown = [
        (slot, place, name) for slot in rig.bones if slot != ROOT_MOTION for place, name in enumerate(rig.shown(slot))
    ]
    names = [name for _, _, name in shown]
    with evaluating(item, scene) as evaluation:
        evaluated = evaluation.update()
        posed, turn = bone_matrices(evaluated, names), nearest_rotation(world_matrix(evaluated)[:3, :3])
        with at_rest(item, switch_values(item, rig, controls)):
            rest = bone_matrices(evaluation.update(), names)
    found = {}
    for index, (slot, place, _) in enumerate(shown):
        first, second, share = spread(slot, len(rig.bones[slot]))[place]
        source_turn = blend(now.turns[0, first], now.turns[0, second], share)
        motion = turn @ nearest_rotation((posed[index] @ np.linalg.inv(rest[index]))[:3, :3]) @ turn.T
        found[rig.bones[slot][place]] = rotations.matrix_to_quaternion(transposed(source_turn) @ motion).tolist()
    item[PROPERTY] = json.dumps(found)
    return len(found)


def calibration(item: bpy.types.Object, character: Character) -> np.ndarray:
    """(C, 3, 3) of the controls, as matched by hand. Raises UserError (``pose-not-matched``)."""
    kept = _kept(item)
    names = character.model.names
    if (pelvis := character.control("pelvis")) is not None:
        # what carries the hips was not posed where the list of bones does not hold it: it turns as they do
        kept.setdefault(names[character.root], kept.get(names[pelvis]))
    missing = [name for name, slot in zip(names, character.slots, strict=True) if slot and kept.get(name) is None]
    if missing:
        raise UserError(
            "pose-not-matched",
            "The matched pose lacks the bone {bone}, because the list of bones has changed since.",
            "Press Match Current Pose again.",
            bone=missing[0],
        )
    return np.stack(
        [
            rotations.quaternion_to_matrix(np.array(kept[name])) if slot else np.eye(3)
            for name, slot in zip(names, character.slots, strict=True)
        ]
    )


def _kept(item: bpy.types.Object) -> dict[str, tuple[float, ...] | None]:
    """By bone, the quaternion on a character's object, whoever wrote it. Raises UserError (``pose-not-matched``)."""
    held = item.get(PROPERTY)
    try:
        if not isinstance(held, str):
            raise BadJson("nothing was kept")
        found = checked(parse_json(held), dict[str, tuple[float, float, float, float]], "pose")
        if not all(0.5 < float(np.linalg.norm(turn)) < 2.0 for turn in found.values()):
            raise BadJson("pose: no rotation")
    except BadJson as error:
        raise UserError(
            "pose-not-matched",
            "No pose has been matched for {name} yet.",
            "Pose it like the person at the current frame, then press Match Current Pose.",
            name=item.name,
        ) from error
    return dict(found)
