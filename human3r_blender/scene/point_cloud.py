# SPDX-License-Identifier: GPL-3.0-or-later
"""The points of the place: one object, its vertices the points, shown by a small Geometry Nodes group.

Attributes of the mesh: `Color` (per point) and `Confidence` (1 and upwards). The modifier's inputs filter, thin and
size what is shown; the mesh keeps all points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import bpy
import numpy as np

from ..blender import shading, tags

NAME = "Scene points"
COLOR, CONFIDENCE = "Color", "Confidence"
"""Attribute names. Not "color" in small letters: to Cycles that is a volume's color, and points would stay black."""

RADIUS, MINIMUM_CONFIDENCE, DENSITY = "Radius", "Minimum Confidence", "Density"
"""The modifier's inputs: meters; least confidence shown; share of the points shown, in 0..1."""

FindObject = Callable[[], bpy.types.Object | None]


def create(
    take_id: str,
    root: bpy.types.Object,
    collection: bpy.types.Collection,
    radius: float,
    minimum_confidence: float,
) -> bpy.types.Object:
    """An empty object under the root that shows its mesh's vertices as colored points of `radius` meters."""
    item = bpy.data.objects.new(NAME, bpy.data.meshes.new(NAME))
    item.parent = root
    collection.objects.link(item)
    tags.mark(item, take_id, tags.POINTS)
    modifier = item.modifiers.new(NAME, "NODES")
    modifier.node_group = _node_group(_material(), radius, minimum_confidence)
    return item


def fill(
    find: FindObject, position: list[np.ndarray], color: list[np.ndarray], confidence: list[np.ndarray]
) -> Iterator[None]:
    """Give the object that `find` finds these points instead of its own, in slices.

    Parts of (N, 3) positions in meters in the root frame, (N, 4) sRGB colors with alpha in 0..1 and (N,) confidences,
    float32 all. A new mesh is filled aside and then takes the old one's place, so that nothing half done shows.
    """
    name = bpy.data.meshes.new(NAME).name
    count = sum(map(len, confidence))
    steps: list[Callable[[bpy.types.Mesh], object]] = [
        lambda mesh: mesh.vertices.add(count),
        lambda mesh: mesh.attributes["position"].data.foreach_set("vector", np.concatenate(position).ravel()),
        lambda mesh: mesh.color_attributes.new(COLOR, "BYTE_COLOR", "POINT"),
        lambda mesh: mesh.color_attributes[COLOR].data.foreach_set("color_srgb", np.concatenate(color).ravel()),
        lambda mesh: mesh.attributes.new(CONFIDENCE, "FLOAT", "POINT"),
        lambda mesh: mesh.attributes[CONFIDENCE].data.foreach_set("value", np.concatenate(confidence)),
    ]
    for step in steps if count else ():
        mesh = bpy.data.meshes.get(name)
        if mesh is None:
            return
        step(mesh)
        yield
    mesh, item = bpy.data.meshes.get(name), find()
    if mesh is not None and item is not None:
        old, item.data = item.data, mesh
        bpy.data.meshes.remove(old)
        mesh.name = NAME


def read(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 3) positions in meters in the object's frame, (N, 3) uint8 sRGB colors and (N,) confidences of the points.

    Attributes that somebody has removed are gray and 1.
    """
    count = len(mesh.vertices)
    position, color, confidence = np.empty(3 * count, np.float32), np.full(4 * count, 0.5, np.float32), np.ones(count)
    mesh.vertices.foreach_get("co", position)
    if COLOR in mesh.color_attributes:
        mesh.color_attributes[COLOR].data.foreach_get("color_srgb", color)
    if CONFIDENCE in mesh.attributes:
        confidence = np.empty(count, np.float32)
        mesh.attributes[CONFIDENCE].data.foreach_get("value", confidence)
    rgb = np.round(255 * color.reshape(-1, 4)[:, :3]).clip(0, 255).astype(np.uint8)
    return position.reshape(-1, 3), rgb, confidence


def _material() -> bpy.types.Material:
    """Shows the points' own colors, which already hold the place's light, without lighting them again."""
    material, attribute = shading.glowing(NAME, "ShaderNodeAttribute")
    attribute.attribute_name = COLOR
    return material


def _node_group(material: bpy.types.Material, radius: float, minimum_confidence: float) -> bpy.types.NodeTree:
    """Vertices that are confident enough, or a random share of them, become points with the material."""
    tree = bpy.data.node_groups.new(NAME, "GeometryNodeTree")
    tree.is_modifier = True
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    for name, subtype, value, largest, text in (
        (RADIUS, "DISTANCE", radius, 1.0, "Radius of each point"),
        (MINIMUM_CONFIDENCE, "NONE", minimum_confidence, 100.0, "Hide points whose confidence is below this"),
        (DENSITY, "FACTOR", 1.0, 1.0, "Share of the points to show"),
    ):
        socket = tree.interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
        socket.subtype, socket.description = subtype, text
        socket.min_value, socket.max_value, socket.default_value = 0.0, largest, value
    given, result = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    confidence = tree.nodes.new("GeometryNodeInputNamedAttribute")
    confidence.data_type = "FLOAT"
    confidence.inputs["Name"].default_value = CONFIDENCE
    confident = tree.nodes.new("FunctionNodeCompare")
    confident.data_type, confident.operation = "FLOAT", "GREATER_EQUAL"
    kept = tree.nodes.new("FunctionNodeRandomValue")
    kept.data_type = "BOOLEAN"
    both = tree.nodes.new("FunctionNodeBooleanMath")
    points, shaded = tree.nodes.new("GeometryNodeMeshToPoints"), tree.nodes.new("GeometryNodeSetMaterial")
    shaded.inputs["Material"].default_value = material
    kept_output = next(socket for socket in kept.outputs if socket.enabled and socket.type == "BOOLEAN")
    for source, target in (
        (confidence.outputs["Attribute"], confident.inputs["A"]),
        (given.outputs[MINIMUM_CONFIDENCE], confident.inputs["B"]),
        (given.outputs[DENSITY], kept.inputs["Probability"]),
        (confident.outputs["Result"], both.inputs[0]),
        (kept_output, both.inputs[1]),
        (given.outputs["Geometry"], points.inputs["Mesh"]),
        (both.outputs["Boolean"], points.inputs["Selection"]),
        (given.outputs[RADIUS], points.inputs["Radius"]),
        (points.outputs["Points"], shaded.inputs["Geometry"]),
        (shaded.outputs["Geometry"], result.inputs["Geometry"]),
    ):
        tree.links.new(source, target)
    shading.lay_out(given, confidence, confident, kept, both, points, shaded, result)
    return tree
