# SPDX-License-Identifier: GPL-3.0-or-later
"""Which color a person's body has: one that is told apart from the others' by people with any kind of color vision.

A color stands in three places, which this file keeps the same: in the mesh object's color (Solid view, Object
colors), in the material's viewport color (Solid view as it is at first), and in its shader (Material Preview,
renders).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bpy

from ..blender import tags
from . import family

Color = tuple[float, float, float, float]
"""Linear red, green, blue and alpha in 0..1, as Blender's color properties hold them."""

PALETTE_SRGB = (
    (0.902, 0.624, 0.000), (0.337, 0.706, 0.914), (0.000, 0.620, 0.451), (0.941, 0.894, 0.259),
    (0.000, 0.447, 0.698), (0.835, 0.369, 0.000), (0.800, 0.475, 0.655), (0.850, 0.900, 0.850),
    (0.500, 0.200, 0.350), (0.650, 0.000, 0.000), (0.650, 0.950, 1.000), (0.550, 0.450, 1.000),
)  # fmt: skip
"""Okabe and Ito's seven colors, and five more, each of which was searched for as far as possible from those before it
in the eyes of all kinds of color vision. Any two differ by 10 and more (CIEDE2000), for normal vision and without one
of the three kinds of cones; the tests compute it. None is so dark that shading would be lost in it."""


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


PALETTE: tuple[Color, ...] = tuple(
    (_linear(red), _linear(green), _linear(blue), 1.0) for red, green, blue in PALETTE_SRGB
)


def bodies(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The meshes of all people in a scene, whichever take they are of, in the order of takes and tracks."""
    return [mesh for item in family.people_in(scene) if (mesh := family.mesh(item)) is not None]


def next_color(taken: Iterable[Sequence[float]]) -> Color:
    """The palette's color that the fewest of the `taken` ones are like, the first of several such."""
    uses = [0] * len(PALETTE)
    for color in taken:
        for number, other in enumerate(PALETTE):
            uses[number] += max(abs(a - b) for a, b in zip(color[:3], other[:3], strict=True)) < 1e-3
    return PALETTE[uses.index(min(uses))]


def opacity(meshes: Iterable[bpy.types.Object]) -> float:
    """How opaque some bodies are in Solid view, 0..1: of the least opaque one; 1 for none."""
    return min((float(mesh.color[3]) for mesh in meshes), default=1.0)


def set_opacity(meshes: Iterable[bpy.types.Object], value: float) -> None:
    """Have some bodies seen through in Solid view; renders and Material Preview show them as they are."""
    for mesh in meshes:
        mesh.color[3] = value
        if mesh.active_material is not None:
            mesh.active_material.diffuse_color[3] = value


def color_new(item: bpy.types.Object, mesh: bpy.types.Object) -> None:
    """Give the mesh of a new person a material, in the next color that is free in the person's scene."""
    scenes = item.users_scene
    beside = {other for scene in scenes for other in scene.objects if other.get(tags.ROLE) == tags.MESH} - {mesh}
    paint(mesh, next_color(other.color for other in beside))


def paint(mesh: bpy.types.Object, color: Sequence[float]) -> None:
    """Give a person's mesh a linear RGBA color in every place that holds one, and the armature as well.

    A material that another object has too is copied first.
    """
    mesh.color = color
    skeleton = mesh.find_armature()
    if skeleton is not None:
        skeleton.color = color
    material = mesh.active_material
    if material is None:
        mesh.active_material = material = _new_material(skeleton or mesh)
    elif material.users > 1:
        mesh.active_material = material = material.copy()
        material.name = (skeleton or mesh).name
    material.diffuse_color = color
    shader = next((node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"), None)
    if shader is not None:
        shader.inputs["Base Color"].default_value = color


def _new_material(person: bpy.types.Object) -> bpy.types.Material:
    """A matt material, named after the person."""
    material = bpy.data.materials.new(person.name)
    if bpy.app.version < (5, 0):  # since then every material has nodes, and setting this warns
        material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = 0.7
    return material
