# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an Action that does not play, packed into samples: a value a frame in 16 bytes, where a key has 72.

Undo copies every key of a file, and a file holds them, so that long motions weigh. Blender plays samples as it plays
the keys that they were made of; only the editors show none to grab. One curve keeps its keys, which tell where those of
the others were: unpacked, all are as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import bpy
import numpy as np

from . import keyframes
from .keyframes import CONSTANT, LINEAR, CurveName, Curves

LEAST = 1000
"""Motions of fewer keys stay as they are: they weigh little."""
_GAIN = 3
"""How many samples there may be at most for each key."""

FindAction = Callable[[], bpy.types.Action | None]


def pack(find: FindAction, kept: CurveName, names: Sequence[CurveName]) -> Iterator[None]:
    """Pack curves of an Action, in slices, where that saves much and nothing is lost: where all have keys at the whole
    frames at which the one that is `kept` has them, and like those they are held or joined by lines.
    """
    curves = _curves(find, kept)
    if not _is_for_packing(curves, kept, names):
        return
    frames = keyframes.read(curves[kept])[0]
    for some in keyframes.slices(names, len(frames)):
        curves = _curves(find, kept)
        for name in some:
            if name in curves:
                curves[name].convert_to_samples(int(frames[0]), int(frames[-1]) + 1)
        yield


def unpack(find: FindAction, kept: CurveName) -> Iterator[None]:
    """Give the packed curves of an Action their keys again, in slices."""
    curves = _curves(find, kept)
    names = [name for name, curve in curves.items() if len(curve.sampled_points)]
    for some in keyframes.slices(names, keyframes.longest(curves)):
        curves = _curves(find, kept)
        for name in some:
            if name in curves and len(curves[name].sampled_points):
                _unpack(curves[name], curves[kept])
        yield


def _curves(find: FindAction, kept: CurveName) -> Curves:
    action = find()
    return {} if action is None else keyframes.curves_in(action, kept[0])


def _is_for_packing(curves: Curves, kept: CurveName, names: Sequence[CurveName]) -> bool:
    if kept not in curves or any(name not in curves for name in names):
        return False
    frames, kinds = keyframes.read(curves[kept])[0], keyframes.interpolation(curves[kept])
    if len(frames) < LEAST or (frames != np.round(frames)).any() or frames[-1] - frames[0] >= _GAIN * len(frames):
        return False
    if not np.isin(kinds, (CONSTANT, LINEAR)).all() or (np.diff(frames) <= 0).any():
        return False
    return all(_is_like(curves[name], frames, kinds) for name in names)


def _is_like(curve: bpy.types.FCurve, frames: np.ndarray, kinds: np.ndarray) -> bool:
    return (
        len(curve.keyframe_points) == len(frames)
        and not len(curve.modifiers)
        and curve.extrapolation == "CONSTANT"
        and np.array_equal(keyframes.read(curve)[0], frames)
        and np.array_equal(keyframes.interpolation(curve), kinds)
    )


def _unpack(curve: bpy.types.FCurve, kept: bpy.types.FCurve) -> None:
    at, values = keyframes.read(curve)
    frames, kinds = keyframes.read(kept)[0], keyframes.interpolation(kept)
    if not np.isin(frames, at).all() or not len(frames):  # somebody has changed the one that was kept
        frames, kinds = at, np.full(len(at), LINEAR, dtype=np.uint8)
    curve.convert_to_keyframes(int(at[0]), int(at[-1]) + 1)
    keyframes.replace(curve, frames, values[np.searchsorted(at, frames)], np.minimum(kinds, LINEAR))
