# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bones of a character are which: by the preset that fits, with what names and hierarchy tell besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from . import hierarchy, name_patterns, presets, rig_map, trunk
from .presets import Preset
from .rig_map import RigMap
from .slots import CENTRAL, REQUIRED, SIDES, parent_slot

BY_NAMES = ""
"""Stands for a preset's name where bones were found by their names."""


@dataclass(frozen=True)
class Found:
    """A character's bones, and the name of the preset that knew them or `BY_NAMES`."""

    preset: str
    rig: RigMap


def find(parents: Mapping[str, str], known: Mapping[str, Preset]) -> Found:
    """The bones of a character by the preset that fits best, or else by their names.

    `parents` gives each bone's parent, empty for none.
    """
    name = rig_map.recognise(known, parents)
    if name is None:
        return Found(BY_NAMES, name_patterns.find(parents))
    rig = by_preset(known[name], parents)
    if _is_plain(known[name]) and not _hangs_together(rig, parents):
        by_names = name_patterns.find(parents)
        if _hangs_together(by_names, parents):
            return Found(BY_NAMES, by_names)
    return Found(name, rig)


def by_preset(preset: Preset, parents: Mapping[str, str]) -> RigMap:
    """A preset's bones. What a shipped one does not know of a plain skeleton is found by names; a user's own is meant
    as it is."""
    rig = rig_map.resolve(preset, parents)
    if preset.name not in presets.find_all()[0] or not _is_plain(preset):
        return rig
    return _completed(trunk.settled(rig, parents), name_patterns.find(parents))


def _is_plain(preset: Preset) -> bool:
    """Whether a preset is for bones that are moved themselves, without controls beside them."""
    return not (preset.measured or preset.ik or preset.switches)


def _completed(rig: RigMap, names: RigMap) -> RigMap:
    """A rig with what names say of slots that it lacks, and of chains that it has in part."""
    bones = dict(rig.bones)
    for slot, found in names.bones.items():
        others = {bone for other, kept in bones.items() if other != slot for bone in kept}
        above = parent_slot(slot)
        of_same_limb = above is None or above in CENTRAL or names.bones.get(above) == bones.get(above)
        if set(bones.get(slot, ())) < set(found) and of_same_limb and not others & set(found):
            bones[slot] = found
    return replace(rig, bones=bones)


def _hangs_together(rig: RigMap, parents: Mapping[str, str]) -> bool:
    """Whether it has what retargeting needs, and shins hang from thighs, feet from shins, and hands from arms."""
    if any(slot not in rig.bones for slot in REQUIRED):
        return False
    for side in SIDES:
        for limb in (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist")):
            line = [rig.bones[f"{side}_{slot}"][0] for slot in limb if f"{side}_{slot}" in rig.bones]
            if not all(hierarchy.carries(upper, lower, parents) for upper, lower in pairwise(line)):
                return False
    return True
