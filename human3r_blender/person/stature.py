# SPDX-License-Identifier: GPL-3.0-or-later
"""How tall a person is."""

from __future__ import annotations

import bpy
import numpy as np

from . import body_mesh, family


def stature_m(item: bpy.types.Object) -> float | None:
    """Meters from sole to crown of a person who stands upright, in the scene; None once the mesh was deleted."""
    mesh = family.mesh(item)
    if mesh is None:
        return None
    keys = mesh.data.shape_keys
    if keys is None or not set(body_mesh.SHAPE_KEYS) <= set(keys.key_blocks.keys()):
        return None
    heights = np.empty((len(mesh.data.vertices), 3), dtype=np.float32)
    keys.reference_key.data.foreach_get("co", heights.ravel())
    crown, sole = int(heights[:, 1].argmax()), int(heights[:, 1].argmin())
    stature = float(heights[crown, 1] - heights[sole, 1])
    for name in body_mesh.SHAPE_KEYS:  # each moves every vertex along a line
        key = keys.key_blocks[name]
        larger = key.data[crown].co.y - key.data[sole].co.y - float(heights[crown, 1] - heights[sole, 1])
        stature += key.value * larger
    return stature * item.matrix_world.median_scale
