# SPDX-License-Identifier: GPL-3.0-or-later
"""The skinned mesh of a person: weights, shape keys for shape and expression.

The first mesh of a take is built step by step, weights and keys and all; it then serves as the base that every person's
mesh is copied from, which takes three milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import bpy
import numpy as np

from ...engine.contract.body_model import BETA_COUNT, EXPRESSION_COUNT, BodyModel
from ...engine.contract.skeleton import JOINT_NAMES

SHAPE_KEYS = tuple(f"Shape{index:03d}" for index in range(BETA_COUNT))
EXPRESSION_KEYS = tuple(f"Exp{index:03d}" for index in range(EXPRESSION_COUNT))

KEY_RANGE = 10.0
"""Shape keys take values from minus to plus this, the most that Blender allows; the model's rarely leave -5..5."""


def build_base(name: str, body: BodyModel) -> Iterator[str]:
    """Build a mesh with groups and keys for a body, yielding its name after every few milliseconds of work.

    The mesh has no user: it is for `create` to copy, and for the caller to remove. If it goes away in between (undo),
    the building ends.
    """
    mesh = bpy.data.meshes.new(name)
    _fill(mesh, body)
    # Groups and keys are made through an object, which needs no scene for that.
    name = bpy.data.objects.new(mesh.name, mesh).name
    yield mesh.name
    steps = [lambda item: item.shape_key_add(name="Basis", from_mix=False)]
    steps += [partial(_add_group, joint_name, body.weights[:, joint]) for joint, joint_name in enumerate(JOINT_NAMES)]
    for key_name, offsets in zip(SHAPE_KEYS, np.moveaxis(body.shape_directions, -1, 0), strict=True):
        steps.append(partial(add_key, key_name, body.template, offsets, KEY_RANGE))
    for key_name, offsets in zip(EXPRESSION_KEYS, np.moveaxis(body.expression_directions, -1, 0), strict=True):
        steps.append(partial(add_key, key_name, body.template, offsets, KEY_RANGE))
    for step in steps:
        item = bpy.data.objects.get(name)
        if item is None:
            return
        step(item)
        yield item.data.name
    item = bpy.data.objects.get(name)
    if item is not None:
        bpy.data.objects.remove(item)


def create(name: str, base: bpy.types.Mesh, armature: bpy.types.Object) -> bpy.types.Object:
    """A new mesh object, in no collection yet, deformed by and parented to a person's armature."""
    mesh = base.copy()
    mesh.name = name
    item = bpy.data.objects.new(name, mesh)
    item.parent = armature
    modifier = item.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature
    return item


def set_shape(item: bpy.types.Object, betas: np.ndarray) -> None:
    """Give a mesh the constant shape of (10,) betas."""
    for name, value in zip(SHAPE_KEYS, betas, strict=True):
        item.data.shape_keys.key_blocks[name].value = float(value)


def shape(item: bpy.types.Object) -> np.ndarray:
    """(10,) betas of a mesh."""
    blocks = item.data.shape_keys.key_blocks
    return np.array([blocks[name].value for name in SHAPE_KEYS], dtype=np.float32)


def add_key(name: str, template: np.ndarray, offsets: np.ndarray, limit: float, item: bpy.types.Object) -> None:
    """Add a shape key that moves (V, 3) template vertices by (V, 3) offsets times its value, which starts at 0 and may
    lie between minus and plus `limit`.
    """
    key = item.shape_key_add(name=name, from_mix=False)
    key.slider_min, key.slider_max, key.value = -limit, limit, 0.0
    key.data.foreach_set("co", (template + offsets).astype(np.float32).ravel())


def value_path(key_name: str) -> str:
    """Data path of a shape key's value, from the mesh's `shape_keys`."""
    return f'key_blocks["{key_name}"].value'


EXPRESSIONS = tuple(value_path(name) for name in EXPRESSION_KEYS)
"""The F-curves of a face, on the mesh's `shape_keys`."""


def _fill(mesh: bpy.types.Mesh, body: BodyModel) -> None:
    count = len(body.faces)
    mesh.vertices.add(len(body.template))
    mesh.attributes["position"].data.foreach_set("vector", body.template.ravel())
    mesh.loops.add(3 * count)
    mesh.loops.foreach_set("vertex_index", body.faces.ravel())
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", np.arange(0, 3 * count, 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()


def _add_group(name: str, weights: np.ndarray, item: bpy.types.Object) -> None:
    group = item.vertex_groups.new(name=name)
    members = np.flatnonzero(weights)
    values, which = np.unique(weights[members], return_inverse=True)
    order = np.argsort(which, kind="stable")
    for value, some in zip(values, np.split(members[order], np.cumsum(np.bincount(which))[:-1]), strict=True):
        group.add(some.tolist(), float(value), "REPLACE")
