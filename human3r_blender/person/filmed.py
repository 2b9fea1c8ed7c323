# SPDX-License-Identifier: GPL-3.0-or-later
"""From where a person was filmed: the place of the take's camera, in the person's own frame."""

from __future__ import annotations

import bpy
import numpy as np

from ..blender import coordinates, keyframes, tags


def camera_places(item: bpy.types.Object, frames: np.ndarray) -> np.ndarray | None:
    """(T, 3) where the camera was at (T,) scene frames, meters, body frame of an armature; None where the scene has no
    camera of its take.

    Keys alone count, for person and camera alike: where somebody has moved the objects since tells nothing about the
    footage.
    """
    camera = tags.find(item.get(tags.TAKE, ""), tags.CAMERA)
    curves = {} if camera is None else keyframes.curves(camera)
    axes = [curves.get(("location", axis)) for axis in range(3)]
    if any(curve is None or not len(curve.keyframe_points) for curve in axes):
        return None
    in_root = np.stack([keyframes.sample(curve, frames) for curve in axes], axis=-1)
    return in_root @ coordinates.BODY_TO_ROOT
