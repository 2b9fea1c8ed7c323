# SPDX-License-Identifier: GPL-3.0-or-later
"""A box that a staged person never leaves, which viewers frame and cull by."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ...blender import coordinates
from ...person import body_mesh
from .staged_person import shape_points


def extent(joints: np.ndarray, bones: Sequence[str], skeleton: bpy.types.Object, growth: float = 1.0) -> np.ndarray:
    """(2, 3) least and greatest corner, meters, in the space of a staged armature, over the whole motion.

    A skinned vertex lies between the places where single joints would carry it. So it stays in the box around balls at
    the joints, as large as each one's farthest vertex, shape keys and all, is away from it at rest. `joints` (T, B, 3)
    are in the scene, `bones` their B names, `growth` is by how much bones are scaled at most.
    """
    joints = joints @ coordinates.BODY_TO_ROOT
    found = _reach(skeleton)
    reach = growth * np.array([found.get(bone, 0.0) for bone in bones])[:, None]
    return np.stack([(joints - reach).min(axis=(0, 1)), (joints + reach).max(axis=(0, 1))])


def _reach(skeleton: bpy.types.Object) -> dict[str, float]:
    """Meters from the head of each bone to the farthest vertex that it moves."""
    reach: dict[str, float] = {}
    for item in (child for child in skeleton.children if child.type == "MESH"):
        moved = _farthest_moves(item.data)
        names = [group.name for group in item.vertex_groups]
        heads = [skeleton.data.bones[name].head_local if name in skeleton.data.bones else None for name in names]
        for vertex, further in zip(item.data.vertices, moved.tolist(), strict=True):
            for group in vertex.groups:
                name, head = names[group.group], heads[group.group]
                if head is not None:
                    reach[name] = max(reach.get(name, 0.0), (vertex.co - head).length + further)
    return reach


def _farthest_moves(mesh: bpy.types.Mesh) -> np.ndarray:
    """(V,) meters that the shape keys move each vertex by at most, all of them at 1, but for those that stay at 0."""
    if mesh.shape_keys is None:
        return np.zeros(len(mesh.vertices))
    basis, *others = (block for block in mesh.shape_keys.key_blocks if block.name not in body_mesh.SHAPE_KEYS)
    moves = (np.linalg.norm(shape_points(block) - shape_points(basis), axis=-1) for block in others)
    return sum(moves, np.zeros(len(basis.data)))
