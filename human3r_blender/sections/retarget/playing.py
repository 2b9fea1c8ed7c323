# SPDX-License-Identifier: GPL-3.0-or-later
"""The new Action is what moves the character: nothing of the NLA adds to it or plays over it."""

from __future__ import annotations

import re
from collections.abc import Collection

import bpy

from ....engine.contract.sentences import Sentence
from ...blender import keyframes

_PLACING = ("location", "rotation", "scale", "delta_")
"""How the paths begin of what moves an armature as a whole."""


def play_alone(item: bpy.types.Object, bones: Collection[str]) -> tuple[Sentence, ...]:
    """Let the assigned Action decide where these bones are. Returns what was changed for it, in sentences.

    It replaces what NLA strips make of the bones. Tracks that move any of them, or the armature as a whole, are muted:
    they may have channels that the Action has not. Nothing is deleted, and tracks for other bones play on.
    """
    data, notes = item.animation_data, []
    if data.action_blend_type != "REPLACE" or data.action_influence != 1.0:
        data.action_blend_type, data.action_influence = "REPLACE", 1.0
        notes.append(Sentence("The Action was set to replace what NLA strips do, with full influence."))
    for track in data.nla_tracks:
        track.is_solo = False  # while a track plays alone, no Action does
    if muted := [track for track in data.nla_tracks if data.use_nla and not track.mute and _moves(track, bones)]:
        for track in muted:
            track.mute = True
        names = ", ".join(track.name for track in muted)
        notes.append(Sentence("NLA tracks that move the same bones were muted: {names}.", names=names))
    return tuple(notes)


def bone_of(data_path: str) -> str:
    """The bone that a data path is about; empty where it is about none."""
    found = re.match(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]', data_path)
    return bpy.utils.unescape_identifier(found.group(1)) if found else ""


def _moves(track: bpy.types.NlaTrack, bones: Collection[str]) -> bool:
    paths = {path for strip in track.strips if not strip.mute for path in keyframes.paths_of_strip(strip)}
    return any(path.startswith(_PLACING) or bone_of(path) in bones for path in paths)
