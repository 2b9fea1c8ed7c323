# SPDX-License-Identifier: GPL-3.0-or-later
"""When a scene hides a person: the keys that say so, on armature and mesh, and what all of them come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bpy
import numpy as np

from ..blender import keyframes
from ..blender.evaluation import evaluating
from .motion import LOCATION

PATHS = ("hide_viewport", "hide_render")
"""Properties of objects and of collections."""

PutKeys = Callable[[bpy.types.FCurve, np.ndarray, np.ndarray, np.ndarray], None]
"""`keyframes.append` or `keyframes.replace`."""


def write(
    name: str,
    mesh: bpy.types.Object | None,
    actions: Sequence[bpy.types.Action],
    changes: Sequence[tuple[float, bool]],
    put: PutKeys,
) -> None:
    """Write changes, scene frame and whether hidden from there on, to a person's mesh and to some of the person's
    Actions, the raw one first. `name` is the person's.
    """
    if not changes or not actions:
        return
    frames, hidden = np.array(changes, dtype=np.float64).T
    kinds = np.full(len(changes), keyframes.CONSTANT, dtype=np.uint8)
    for path in PATHS:
        for action in actions:
            put(keyframes.curve_in(action, LOCATION, path), frames, hidden, kinds)
        if mesh is not None:
            if mesh.animation_data is None or mesh.animation_data.action is None:
                keyframes.animate(mesh, name, "visibility", share=actions[0])
            put(keyframes.curves(mesh).get((path, 0)) or keyframes.add_curves(mesh, path, 1)[0], frames, hidden, kinds)


def has_keys(mesh: bpy.types.Object, raw: bpy.types.Action) -> bool:
    """Whether anything was written for a person."""
    found = keyframes.curves_in(raw, LOCATION).keys() | keyframes.curves(mesh).keys()
    return any((path, 0) in found for path in PATHS)


def hidden_frames(item: bpy.types.Object, scene: bpy.types.Scene, frames: np.ndarray) -> np.ndarray:
    """(T,) whether the scene hides a person, or all collections that the person is in, at (T,) scene frames."""
    found = np.zeros(len(frames), dtype=bool)
    homes = item.users_collection
    if homes and all(any(getattr(home, path) for path in PATHS) for home in homes):
        found[:] = True
    curves = keyframes.curves(item)
    for path in PATHS:
        curve = curves.get((path, 0))
        if curve is not None and len(curve.keyframe_points):
            found |= keyframes.sample(curve, frames) > 0.5
        elif _is_in_nla(item, path):
            with evaluating(item, scene) as evaluation:
                found |= [getattr(evaluation.at(frame), path) for frame in frames.tolist()]
        elif getattr(item, path):
            found[:] = True
    return found


def _is_in_nla(item: bpy.types.Object, path: str) -> bool:
    """Whether strips animate a property of an object."""
    return any(
        strip.action is not None and keyframes.curves_in(strip.action, path) for strip in keyframes.playing_strips(item)
    )
