# SPDX-License-Identifier: GPL-3.0-or-later
"""The Photographed Backdrop in an export: a plain mesh as the scene shows it, with a material that the format knows.

Each exporter understands another way of saying "this picture holds its own light": GLB knows unlit materials, USD an
emissive one; FBX gets a plain texture, which all programs read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...blender import shading, tags
from ...blender.evaluation import Evaluation, world_matrix
from ...person import characters
from ...scene import backdrop
from .naming import Room, safe_name
from .staged_keys import Space

UNLIT, EMISSIVE, PLAIN = "unlit", "emissive", "plain"
"""Kinds of materials."""


@dataclass(frozen=True)
class StagedBackdrop:
    """A backdrop that goes into a file."""

    item: bpy.types.Object
    picture: Path | None = None
    """Where its picture lies, for formats that have it beside the file."""


def backdrops_of(scene: bpy.types.Scene, people: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """The backdrops of the takes that people, or characters' motions, are from, but those that are not rendered."""
    takes = {characters.take_of(item) for item in people}
    return [
        item
        for item in scene.objects
        if item.get(tags.ROLE) == tags.BACKDROP and tags.text(item, tags.TAKE) in takes and not item.hide_render
    ]


def picture_of(item: bpy.types.Object) -> bytes | None:
    """The PNG file of a backdrop's picture; None where it is not in the .blend file."""
    image = backdrop.image_of(item)
    return None if image is None or image.packed_file is None else image.packed_file.data


def stage(scene: bpy.types.Scene, room: Room, one: StagedBackdrop, space: Space, kind: str) -> None:
    """Put a backdrop into an export's scene, as its own scene shows it: a mesh with a material of that kind."""
    mesh = _shown_mesh(scene, one.item, space)
    item, name = bpy.data.objects.new(mesh.name, mesh), safe_name(room.own_name(one.item), "backdrop")
    for block in (item, mesh):
        room.name(block, name)
    mesh.materials.clear()
    image = backdrop.image_of(one.item)
    if image is not None:
        mesh.materials.append(_material(item.name, _image(image, one.picture), kind))
        room.name(mesh.materials[0], item.name)
    scene.collection.objects.link(item)


def _shown_mesh(scene: bpy.types.Scene, item: bpy.types.Object, space: Space) -> bpy.types.Mesh:
    """A new mesh of a backdrop with its modifiers applied, where the scene shows it."""
    hidden = item.hide_viewport
    scene.collection.objects.link(item)  # for a moment
    try:
        item.hide_viewport = False  # Blender evaluates nothing that is
        seen = Evaluation(item, scene).update()
        mesh = bpy.data.meshes.new_from_object(seen)
        world = world_matrix(seen)
    finally:
        item.hide_viewport = hidden
        scene.collection.objects.unlink(item)
    for name in backdrop.ATTRIBUTES:
        if name in mesh.attributes:
            mesh.attributes.remove(mesh.attributes[name])
    points = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    placed = space.units * (points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]) @ space.turn.T
    mesh.vertices.foreach_set("co", placed.astype(np.float32).ravel())
    mesh.update()
    return mesh


def _image(image: bpy.types.Image, picture: Path | None) -> bpy.types.Image:
    return image if picture is None else bpy.data.images.load(str(picture))


def _material(name: str, image: bpy.types.Image, kind: str) -> bpy.types.Material:
    material = shading.with_nodes(name)
    tree = material.node_tree
    texture, output = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeOutputMaterial")
    texture.image, texture.extension = image, "EXTEND"
    if kind == UNLIT:  # what Blender's exporter takes for an unlit material
        surface = tree.nodes.new("ShaderNodeBackground")
        tree.links.new(texture.outputs["Color"], surface.inputs["Color"])
    else:
        surface = tree.nodes.new("ShaderNodeBsdfPrincipled")
        surface.inputs["Roughness"].default_value = 1.0
        surface.inputs["Specular IOR Level"].default_value = 0.0
        if kind == EMISSIVE:
            surface.inputs["Base Color"].default_value = (0.0, 0.0, 0.0, 1.0)
            surface.inputs["Emission Strength"].default_value = 1.0
        tree.links.new(texture.outputs["Color"], surface.inputs["Emission Color" if kind == EMISSIVE else "Base Color"])
    tree.links.new(surface.outputs[0], output.inputs["Surface"])
    return material
