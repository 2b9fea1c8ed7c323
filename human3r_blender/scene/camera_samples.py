# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera of the scene as numbers: where it is, and what it sees, whatever moves it."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..blender.evaluation import Evaluation, world_matrix

_LENS = ("lens", "shift_x", "shift_y", "sensor_width")


@dataclass(frozen=True)
class CameraSamples:
    """A camera over T frames, in Blender's world: z up, looking along its own -z."""

    worlds: np.ndarray
    """(T, 4, 4) rigid."""
    lens: dict[str, np.ndarray]
    """(T,) values of Blender's own properties of the lens."""
    edges: np.ndarray
    """(T, 4) left, right, bottom and top of what it sees, in meters one meter before it."""


def sample(
    source: bpy.types.Object, shown_in: bpy.types.Scene, scene_frames: np.ndarray, scene: bpy.types.Scene
) -> CameraSamples:
    """A camera at (T,) frames of the scene `shown_in`. It is evaluated in `scene`, where it is for a moment."""
    count = len(scene_frames)
    worlds, lens, edges = np.empty((count, 4, 4)), np.empty((count, len(_LENS))), np.empty((count, 4))
    scene.collection.objects.link(source)
    evaluation = Evaluation(source, scene)
    for row, frame in enumerate(scene_frames.tolist()):
        seen = evaluation.at(frame)
        worlds[row], lens[row] = world_matrix(seen), [getattr(seen.data, name) for name in _LENS]
        edges[row] = _edges(seen, shown_in)
    scene.collection.objects.unlink(source)
    worlds[:, :3, :3] /= np.linalg.norm(worlds[:, :3, :3], axis=1, keepdims=True)
    return CameraSamples(worlds, dict(zip(_LENS, lens.T, strict=True)), edges)


def sample_aside(source: bpy.types.Object, shown_in: bpy.types.Scene, scene_frames: np.ndarray) -> CameraSamples:
    """As `sample`, in a scene that is made for it and removed."""
    scene = bpy.data.scenes.new("Human3R camera")
    try:
        return sample(source, shown_in, scene_frames, scene)
    finally:
        bpy.data.scenes.remove(scene)


def _edges(seen: bpy.types.Object, shown_in: bpy.types.Scene) -> np.ndarray:
    corners = np.array(seen.data.view_frame(scene=shown_in), dtype=np.float64)
    plain = corners[:, :2] / -corners[:, 2:]
    return np.concatenate([np.sort(plain[:, axis])[[0, -1]] for axis in (0, 1)])
