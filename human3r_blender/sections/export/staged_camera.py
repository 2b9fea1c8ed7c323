# SPDX-License-Identifier: GPL-3.0-or-later
"""A clean copy of a camera for an export: what its scene shows, key by key."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from ....engine.contract.rotations import continuous_quaternions, matrix_to_quaternion
from ...blender import keyframes
from ...scene import camera_samples
from .motion import Clock
from .naming import Room, safe_name
from .staged_keys import Space, key


def stage_camera(
    scene: bpy.types.Scene,
    room: Room,
    space: Space,
    source: bpy.types.Object,
    shown_in: bpy.types.Scene,
    when: Clock,
) -> bpy.types.Object:
    """Put a camera into an export's scene as `shown_in` shows it."""
    data = source.data.copy()
    data.animation_data_clear()
    data.background_images.clear()
    item = bpy.data.objects.new("Camera", data)
    seen = camera_samples.sample(source, shown_in, when.scene_frames, scene)
    name = safe_name(room.own_name(source), "camera")
    for block in (item, data):
        room.name(block, name)
    item.rotation_mode = "QUATERNION"
    scene.collection.objects.link(item)
    scene.camera = item
    scene.render.resolution_x, scene.render.resolution_y = shown_in.render.resolution_x, shown_in.render.resolution_y
    data.clip_start, data.clip_end = space.units * data.clip_start, space.units * data.clip_end
    places = space.units * seen.worlds[:, :3, 3] @ space.turn.T
    turns = continuous_quaternions(matrix_to_quaternion(space.turn @ seen.worlds[:, :3, :3]))
    keyframes.animate(item, item.name)
    key(item, {"location": places, "rotation_quaternion": turns})
    _key_lens(item, data, seen.lens)
    return item


def _key_lens(item: bpy.types.Object, data: bpy.types.Camera, lens: Mapping[str, np.ndarray]) -> None:
    for name, values in lens.items():
        setattr(data, name, values[0])
    moving = {name: values[:, None] for name, values in lens.items() if np.ptp(values) > 0}
    if moving:
        keyframes.animate(data, item.name, "lens", share=item)
        key(data, moving)
