# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries a character's trunk: the bone that the whole body hangs from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from . import hierarchy
from .rig_map import RigMap
from .slots import SIDES

TRUNK = ("pelvis", "left_hip", "right_hip", "spine", "neck", "head", "left_shoulder", "right_shoulder")
"""Slots that have to hang from the root of the motion."""


def settled(rig: RigMap, parents: Mapping[str, str]) -> RigMap:
    """A rig whose spine has no bone that carries the legs, unless it has no other: that moves with the hips."""
    hips = [bone for side in SIDES for bone in rig.bones.get(f"{side}_hip", ())]
    spine = rig.bones.get("spine", ())
    free = tuple(bone for bone in spine if not all(hierarchy.carries(bone, hip, parents) for hip in hips))
    if not hips or not free or free == spine:
        return rig
    seen = rig.measured.get("spine")
    measured = {**rig.measured, "spine": seen[len(spine) - len(free) :]} if seen else rig.measured
    return replace(rig, bones={**rig.bones, "spine": free}, measured=measured)


def roots(rig: RigMap, parents: Mapping[str, str]) -> list[str]:
    """Bones that may carry the whole body, likelier ones first: the one said, the hips, and the lowest that all of the
    trunk hangs from."""
    trunk = [bone for slot in TRUNK for bone in rig.bones.get(slot, ())[:1]]
    found = [*rig.bones.get("root", ()), *rig.bones["pelvis"], hierarchy.lowest_common(trunk, parents)]
    return [bone for bone in dict.fromkeys(found) if bone]
