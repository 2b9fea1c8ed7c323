# SPDX-License-Identifier: GPL-3.0-or-later
"""How the parts of a take are found again in a scene: by custom properties, whatever the user renames.

Blender's undo and file loading replace data-blocks under their Python references, so nothing is held across slices of
work: each one looks up what it needs here.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ...engine.contract.json_checks import is_number

PREFIX = "human3r_"
"""How the names of all our custom properties begin."""

TAKE = "human3r_take"
"""Id of the take that a data-block belongs to; every import makes a new one."""

ROLE = "human3r_role"
"""What an object or an Action is in its take: one of the words below."""

ROOT, CAMERA, POINTS, ARMATURE, MESH = "root", "camera", "points", "armature", "mesh"

BACKDROP = "backdrop"
"""The environment of a still or turning camera as one photograph."""

CONTACTS = "contacts"
"""What shows which feet of a person are planted: marks, and the collection that they are in."""

BONE_SHAPE = "bone_shape"
"""What bones are drawn as. It is no take's: all people share it."""

SHOT = "shot"
"""The collection of a scene's lights and floor for a quick render."""

RAW, LIVE, CLEAN = "raw", "live", "clean"
"""A person's Actions: as predicted, smoothed while it arrives, cleaned up in the end."""

CHARACTER = "character"
"""The Action with a person's motion on a character of the user's; take and track are the person's."""

FORMER = "former"
"""The raw Action of somebody who was merged into another or deleted: it stays in the file, and nothing looks for it."""

TRACK = "human3r_track"
"""Track id of a person, on the armature, the mesh, the collection and the Actions."""

LAST_TRACK = "human3r_last_track"
"""On the root: the highest track id that anybody of the take ever had."""

TAKE_FILE = "human3r_take_file"
"""On the root: path of the take (`.h3r`) that was imported or captured."""

TAKE_RELATIVE, SOURCE_RELATIVE = "human3r_take_relative", "human3r_source_relative"
"""On the root: the paths of take and footage from the folder that the .blend file was saved in, with slashes."""

EDITS = "human3r_edits"
"""On the root: what was done to the people by hand, as JSON (`sections/people/edit_record.py`)."""

BODY = "human3r_body"
"""On the root: path of the body file that the people were made with; or `mannequin`."""

SOURCE = "human3r_source"
"""On the root: the footage's path, as the take's settings name it."""

PREVIEW = "human3r_preview"
"""On the root: the take is a quick look, which a capture of the same footage replaces."""

PICTURES = "human3r_pictures"
"""On the root: scene frames of all pictures of the take, whoever is seen in them."""

ABSENCE = "human3r_absence_s"
"""On the root: seconds without a detection after which people are hidden."""


_MOST = 1 << 30
"""Blender's numbers have 32 bits, and one more has to fit."""


def mark(block: bpy.types.ID, take_id: str, role: str, track_id: int | None = None) -> None:
    """Write a data-block's place in its take."""
    block[TAKE] = take_id
    block[ROLE] = role
    if track_id is not None:
        block[TRACK] = track_id


def is_root(block: bpy.types.ID) -> bool:
    """Whether a data-block is a take's root, and says of which take."""
    return block.get(ROLE) == ROOT and bool(text(block, TAKE))


def text(block: bpy.types.ID, name: str) -> str:
    """A property that is a text; empty where it is anything else, for whoever had the file may have changed it."""
    held = _held(block, name)
    return held if isinstance(held, str) else ""


def whole(block: bpy.types.ID, name: str, default: int) -> int:
    """A property that is a whole number that can be counted on, in the same way."""
    held = _held(block, name)
    return int(held) if isinstance(held, int) and abs(held) < _MOST else default


def flag(block: bpy.types.ID, name: str, default: bool) -> bool:
    """A property that is on or off, in the same way."""
    held = _held(block, name)
    return bool(held) if isinstance(held, int) else default


def number(block: bpy.types.ID, name: str, default: float) -> float:
    """A property that is a finite number, in the same way."""
    held = _held(block, name)
    return float(held) if is_number(held) else default


def numbers(block: bpy.types.ID, name: str, width: int = 1) -> np.ndarray:
    """(n, `width`) finite float64 of a property that lists them row by row; none where it is anything else."""
    try:
        listed = np.array(_held(block, name), dtype=np.float64).reshape(-1, width)
    except (TypeError, ValueError):
        return np.empty((0, width))
    return listed if np.isfinite(listed).all() else np.empty((0, width))


def named_numbers(block: bpy.types.ID, name: str) -> dict[str, float]:
    """The finite numbers of a property that has some by their names; none where it is anything else."""
    held = _held(block, name)
    try:
        named = held.to_dict()
    except (AttributeError, UnicodeDecodeError):
        return {}
    return {str(key): value for key, value in named.items() if is_number(value)}


def _held(block: bpy.types.ID, name: str) -> Any:
    try:
        return block.get(name)
    except UnicodeDecodeError:  # bytes that Blender calls a text
        return None


def find(take_id: str, role: str, hint: str = "") -> bpy.types.Object | None:
    """A take's root, camera, points or backdrop; None when there is none (any more).

    People are found in `person/family.py`. `hint` is the name it had last, which saves going through all objects.
    """

    def fits(item: bpy.types.Object) -> bool:
        return item.get(TAKE) == take_id and item.get(ROLE) == role

    hinted = bpy.data.objects.get(hint)
    if hinted is not None and fits(hinted):
        return hinted
    return next((item for item in bpy.data.objects if fits(item)), None)
