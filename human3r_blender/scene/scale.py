# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take's scale rests on, and the scale that known heights of its people give it: kept on the root."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ...engine.contract.settings import BUILT_IN, CaptureSettings
from ..blender import tags
from ..person import family
from ..person.stature import stature_m

GIVEN, USUAL, MODEL = "given height", "usual height", "model"
"""What the engine took the scale from: the setting for people's height, what people usually measure, or its weights."""
LENGTH, HEIGHTS, HAND = "known length", "known heights", "hand"
"""What a user took it from: *Scale from Known Length*, *Set Height*, or none of our tools."""

CAPTURED = "human3r_scale_from"
"""On the root: one of the first three words; nothing in takes that do not tell."""
STATURE = "human3r_scale_stature"
"""On the root with `GIVEN`: the height, meters."""
_BY_HAND = "human3r_scale_by_hand"
"""On the root: `LENGTH` or `HEIGHTS`, once one of our tools has scaled the take."""
_SCALE = "human3r_scale"
"""On the root: its scale after that."""
_HEIGHTS = "human3r_heights"
"""On the root: the true heights that the user knows, meters, by the people's track ids."""

_SAME = 1e-3


def note_capture(root: bpy.types.Object, settings: CaptureSettings) -> None:
    """Keep what the engine took a take's scale from."""
    if settings.model == BUILT_IN and settings.stature is not None:
        root[CAPTURED], root[STATURE] = GIVEN, settings.stature
    elif settings.model != "default":  # takes name what the default came to; motions of other programs do not
        root[CAPTURED] = USUAL if settings.model == BUILT_IN else MODEL


def source_of(root: bpy.types.Object) -> str:
    """What a take's scale rests on now, one of the words above; empty where nothing tells."""
    by_hand = tags.text(root, _BY_HAND)
    if by_hand and np.isclose(_scale(root), tags.number(root, _SCALE, np.nan), rtol=_SAME):
        return by_hand
    if not np.isclose(_scale(root), 1.0, rtol=_SAME):
        return HAND
    return tags.text(root, CAPTURED)


def known_heights(root: bpy.types.Object) -> dict[bpy.types.Object, float]:
    """The people of a take whose true heights, meters, are known."""
    known = tags.named_numbers(root, _HEIGHTS)
    people = {str(item[tags.TRACK]): item for item in reversed(family.people_under(root))}
    return {people[track]: height for track, height in known.items() if track in people and height > 0}


def set_height(root: bpy.types.Object, item: bpy.types.Object, height_m: float) -> float:
    """Scale a take about the scene's origin, which is on the floor, so that a person is so tall; returns the factor.

    Where heights of others are known as well, one common scale comes nearest to all of them.
    """
    known = {str(other[tags.TRACK]): height for other, height in known_heights(root).items()}
    root[_HEIGHTS] = known | {str(item[tags.TRACK]): height_m}
    now = {other: (height, stature_m(other)) for other, height in known_heights(root).items()}
    off = [np.log(height / stature) for height, stature in now.values() if stature]
    return scale(root, float(np.exp(np.mean(off))), HEIGHTS)


def set_by_length(root: bpy.types.Object, factor: float) -> None:
    """Scale a take about the scene's origin by what a length that is known tells; it overrules heights."""
    root.pop(_HEIGHTS, None)
    scale(root, factor, LENGTH)


def scale(root: bpy.types.Object, factor: float, source: str) -> float:
    """Scale a take about the scene's origin and keep what told the factor, which is returned."""
    root.matrix_world = Matrix.Scale(factor, 4) @ root.matrix_world
    root[_BY_HAND], root[_SCALE] = source, _scale(root)
    return factor


def forget(root: bpy.types.Object) -> None:
    """Drop what the user has told about the scale: the take is as it was captured again."""
    for name in (_BY_HAND, _SCALE, _HEIGHTS):
        root.pop(name, None)


def _scale(root: bpy.types.Object) -> float:
    return float(root.matrix_basis.median_scale)  # which is up to date in any moment
