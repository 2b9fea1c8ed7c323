# SPDX-License-Identifier: GPL-3.0-or-later
"""What is staged for an export has its numbers in the export's own space, and a key a frame, from frame 0 on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ...blender import coordinates, keyframes

REST_FRAME = -1
"""The frame, before all that are exported, at which staged people rest: an exporter that takes the pose of the moment
for the rest pose is run there."""


@dataclass(frozen=True)
class Space:
    """Where a stage has what the scene has in meters, with z up."""

    units: float = 1.0
    """Of the stage, for each meter."""
    y_up: bool = False
    """Whether its y is up and its z to the front, where the scene's z is up and its y to the back."""

    @property
    def turn(self) -> np.ndarray:
        """(3, 3) from the scene's axes to the stage's."""
        return coordinates.BODY_TO_ROOT.T if self.y_up else np.eye(3)


def key(block: bpy.types.ID, values: Mapping[str, np.ndarray], rests_before: bool = False) -> None:
    """Keys at frames 0, 1, 2, ... of an animated block, with (T, components) values per data path.

    `rests_before` adds one at `REST_FRAME` without location, turn, scale or weight.
    """
    first = REST_FRAME if rests_before else 0
    for path, columns in values.items():
        if rests_before:
            columns = np.concatenate([_nothing(path, columns.shape[1]), columns])
        frames, kinds = first + np.arange(len(columns)), np.full(len(columns), keyframes.LINEAR, dtype=np.uint8)
        for curve, column in zip(keyframes.add_curves(block, path, columns.shape[1]), columns.T, strict=True):
            keyframes.append(curve, frames, column, kinds)
            curve.update()


def _nothing(path: str, components: int) -> np.ndarray:
    if path.endswith("quaternion"):
        return np.eye(1, components)
    return np.full((1, components), 1.0 if path.endswith("scale") else 0.0)
