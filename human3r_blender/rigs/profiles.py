# SPDX-License-Identifier: GPL-3.0-or-later
"""The names that a person's own bones get for other programs, from the presets of those programs' rigs.

A preset says how rigs of a kind call the bones that retargeting looks for; a profile adds what only a writer has to
know: which of several spellings, what stands in front, and the bones that no preset has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...engine.contract.skeleton import JOINT_NAMES
from . import presets
from .slots import CHAINS, FINGERS, PAIRED, SIDES

ROOT = "root"
"""The bone above the pelvis, which is no joint."""

_EYES = ("left_eye", "right_eye")


@dataclass(frozen=True)
class _Profile:
    """How one program calls bones."""

    file: str
    """The preset's file, without its ending."""
    eyes: tuple[str, str]
    root: str = ROOT
    jaw: str = "jaw"
    """Where the preset has none."""
    prefix: str = ""
    """In front of every bone's name, but the root's."""
    spelling: str = ".+"
    """What the wanted one of several names in a preset looks like."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Names of slots for which spelling does not decide."""


PROFILES = {
    "smplx": ("SMPL-X", "pelvis, left_hip, spine1, ... as the person has them in Blender"),
    "mixamo": ("Mixamo", "mixamorig:Hips, mixamorig:LeftUpLeg, mixamorig:Spine, ... as Mixamo's characters have them"),
    "unreal": ("Unreal", "pelvis, thigh_l, spine_01, ... as Unreal's mannequins have them"),
    "vrm": ("Unity and VRM", "hips, leftUpperLeg, spine, ... as Unity's and VRM's humanoid call them"),
    "godot": ("Godot", "Hips, LeftUpperLeg, Spine, ... as Godot's humanoid profile calls them"),
}
"""Kinds of bone names, with their label and what they look like."""

_KNOWN = {
    "mixamo": _Profile("mixamo", ("LeftEye", "RightEye"), prefix="mixamorig:"),
    "unreal": _Profile("unreal_mannequin", ("eye_l", "eye_r")),
    "vrm": _Profile(
        "vrm_humanoid",
        ("leftEye", "rightEye"),
        spelling="[a-z]+([A-Z][a-z]+)*",
        others={f"{side}_thumb2": f"{side}ThumbProximal" for side in SIDES},
    ),
    "godot": _Profile("godot_humanoid", ("LeftEye", "RightEye"), "Root"),
}


def bone_names(profile: str) -> dict[str, str]:
    """The names of the 55 joints' bones and of `ROOT` in a profile, a key of `PROFILES`, by the joints' own."""
    own = {name: name for name in (ROOT, *JOINT_NAMES)}
    if profile not in _KNOWN:
        return own
    known = _KNOWN[profile]
    slots = presets.read(presets.SHIPPED / f"{known.file}.json").bones
    joints = {joint: _spelt(slots, *place, known) for joint, place in _places().items()}
    joints |= dict(zip(_EYES, known.eyes, strict=True))
    return own | {joint: known.prefix + name for joint, name in joints.items()} | {ROOT: known.root}


def _places() -> dict[str, tuple[str, int]]:
    """By joint, the slot that it fills and the place in it."""
    single = ["pelvis", "head", "jaw", *(f"{side}_{name}" for side in SIDES for name in (*PAIRED, *FINGERS))]
    places = {slot: (slot, 0) for slot in single}
    for slot, joints in CHAINS.items():
        places |= {JOINT_NAMES[joint]: (slot, place) for place, joint in enumerate(joints[1:])}
    return places


def _spelt(slots: Mapping[str, tuple[str, ...]], slot: str, place: int, known: _Profile) -> str:
    if slot not in slots:
        return known.jaw
    names = slots[slot][place].split("|")
    return known.others.get(slot) or next((name for name in names if re.fullmatch(known.spelling, name)), names[0])
