# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether keys are still those that were written."""

from __future__ import annotations

import zlib

import bpy
import numpy as np

from . import keyframes


class Seal:
    """Remembers keys as they were appended, in a few bytes for each curve, and tells whether somebody changed any."""

    def __init__(self) -> None:
        self._written: dict[keyframes.CurveName, tuple[int, int]] = {}

    def add(self, name: keyframes.CurveName, frames: np.ndarray, values: np.ndarray) -> None:
        """Keys that a curve is given after those before: (T,) scene frames and (T,) values."""
        count, digest = self._written.get(name, (0, 0))
        self._written[name] = count + len(frames), zlib.crc32(_pairs(frames, values), digest)

    def is_broken(self, made: keyframes.Curves) -> bool:
        """Whether a curve is gone, has other keys than it was given, or was made to play differently."""
        return any(
            name not in made or _is_changed(made[name], count, digest)
            for name, (count, digest) in self._written.items()
        )


def _is_changed(curve: bpy.types.FCurve, count: int, digest: int) -> bool:
    if len(curve.keyframe_points) != count or curve.mute or len(curve.modifiers):
        return True
    return (
        bool((keyframes.interpolation(curve) > keyframes.LINEAR).any())
        or zlib.crc32(_pairs(*keyframes.read(curve))) != digest
    )


def _pairs(frames: np.ndarray, values: np.ndarray) -> bytes:
    """Keys as Blender holds them."""
    return np.stack([frames, values], axis=-1).astype(np.float32).tobytes()
