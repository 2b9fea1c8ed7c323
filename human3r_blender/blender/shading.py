# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that show colors as they are, and node trees that can be read."""

from __future__ import annotations

import bpy


def glowing(name: str, source: str) -> tuple[bpy.types.Material, bpy.types.ShaderNode]:
    """A material that emits the color of a node of type `source`, which is returned too, and is not lit.

    For footage, which already holds the light of the place.
    """
    material = with_nodes(name)
    tree = material.node_tree
    color = tree.nodes.new(source)
    emission = tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(color.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    lay_out(color, emission, output)
    return material, color


def with_nodes(name: str) -> bpy.types.Material:
    """A new material with an empty node tree."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0):  # since then every material has nodes, and setting this warns
        material.use_nodes = True
    material.node_tree.nodes.clear()
    return material


def lay_out(*nodes: bpy.types.Node) -> None:
    """Set nodes side by side."""
    for index, node in enumerate(nodes):
        node.location = (200.0 * index, 0.0)
