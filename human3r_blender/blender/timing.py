# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage time to scene frames.

A picture shown `t` seconds after the footage's first one belongs to scene frame first + t x (scene frames per second),
where `first` is 1 or where the scene starts. So strides, a start inside the footage, variable frame rates and scenes of
another frame rate all play in true time; keys between whole frames are meant.
"""

from __future__ import annotations

import math

import bpy

FIRST_FRAME = 1
"""Scene frame of the footage's first picture, unless another is asked for."""

_SNAP = 0.1
"""Frames. Containers round timestamps, to whole milliseconds for example: what lies this near to a whole frame is on
it, which moves a key by less than 4 ms at 25 frames per second and saves every key from a fractional frame."""

_NTSC = 1.001


def rate_as_blender(frame_rate: float) -> tuple[int, float]:
    """Frames per second as Blender's (fps, fps_base), whose quotient is the rate: 29.97 becomes (30, 1.001)."""
    whole = max(1, round(frame_rate))
    if abs(frame_rate - whole) < 1e-3:
        return whole, 1.0
    ntsc = max(1, round(frame_rate * _NTSC))
    if abs(frame_rate - ntsc / _NTSC) < 5e-3 and ntsc % 6 == 0:
        return ntsc, _NTSC
    above = max(1, math.ceil(frame_rate))
    return above, above / frame_rate


def set_scene_rate(scene: bpy.types.Scene, frame_rate: float) -> None:
    """Give the scene the footage's frame rate."""
    scene.render.fps, scene.render.fps_base = rate_as_blender(frame_rate)


def rate_for(scene: bpy.types.Scene, frame_rate: float | None) -> float:
    """Frames per second that a scene plays at once it has the footage's frame rate; None: that it plays at now."""
    if frame_rate is None:
        fps, base = scene.render.fps, scene.render.fps_base
        # Blender keeps a float32; taken as it is, the 1.001 of NTSC rates would drift over a long take.
        return fps / (_NTSC if abs(base - _NTSC) < 1e-6 else base)
    fps, base = rate_as_blender(frame_rate)
    return fps / base


def scene_frame(time_s: float, rate: float, previous: float | None = None, first: int = FIRST_FRAME) -> float:
    """Scene frame of a picture `time_s` seconds into the footage, after the key at `previous`; `first` is that of the
    footage's first picture.

    Near a whole frame it is that frame, unless `previous` is already there.
    """
    exact = first + time_s * rate
    whole = float(round(exact))
    if abs(exact - whole) <= _SNAP and (previous is None or whole > previous):
        return whole
    return exact


def set_range(scene: bpy.types.Scene, first: float, last: float, kept: tuple[int, int] | None = None) -> None:
    """Make the scene play the whole frames that cover scene frames `first` to `last`, and those of the range `kept`."""
    start, end = math.floor(first), max(math.ceil(last), math.floor(first))
    if kept is not None:
        start, end = min(start, kept[0]), max(end, kept[1])
    scene.frame_start, scene.frame_end = start, end
