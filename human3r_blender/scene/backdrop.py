# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a still or turning camera: one photograph without people, on the floor and an upright card.

One mesh, a grid of the rays of the photograph, with the camera's place as the object's origin. Each vertex is where its
ray meets the floor or the card, whichever is nearer, so that from the camera the photograph lies exactly on the footage
however far away the card is. The modifier's input moves the card; the mesh itself has the distance that the take says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from ...engine.contract.messages import Backdrop
from ..blender import coordinates, png, shading, tags, turns

NAME = "Photographed Backdrop"
CARD_DISTANCE = "Card Distance"
"""The modifier's input: level distance of the card from the camera, meters."""
UV_MAP = "UVMap"

_RAY, _FLOOR_REACH, _CARD_REACH = "Ray", "Floor Reach", "Card Reach"
"""The mesh's attributes: `Rays`, for the modifier."""

ATTRIBUTES = (_RAY, _FLOOR_REACH, _CARD_REACH)

_FAR_M = 1e6
"""Where rays that do not go down would meet the floor."""
_MOST_REACH = 10.0
"""Rays that hardly go towards the card end after so many times its distance: the sky closes above the camera."""
_LEAST_DISTANCE_M, _MOST_DISTANCE_M = 0.1, 1000.0


@dataclass(frozen=True)
class Rays:
    """The rays of a photograph's R x C grid in the root frame, from the camera's place, and where they end."""

    direction: np.ndarray
    """(R * C, 3) unit vectors."""
    floor_reach: np.ndarray
    """(R * C,) meters along each ray to the floor."""
    card_reach: np.ndarray
    """(R * C,) meters along each ray for each meter of the card's distance."""

    def ends(self, card_distance: float) -> np.ndarray:
        """(R * C, 3) meters from the camera: on the floor or the card, whichever is nearer."""
        reach = np.minimum(self.floor_reach, self.card_reach * card_distance)
        return self.direction * reach[:, None]


def rays_of(backdrop: Backdrop) -> Rays:
    """The rays of a take's backdrop."""
    direction = coordinates.points_to_root(backdrop.direction.reshape(-1, 3)).astype(np.float64)
    up, forward = coordinates.points_to_root(backdrop.up), coordinates.points_to_root(backdrop.forward)
    down = -(direction @ up)
    floor = np.full(len(direction), _FAR_M)
    meets = down * _FAR_M > backdrop.floor_height
    if backdrop.floor_height > 0:
        floor[meets] = backdrop.floor_height / down[meets]
    level = direction + down[:, None] * up
    towards = np.linalg.norm(level, axis=1) if backdrop.is_round else direction @ forward
    return Rays(direction, floor, 1 / np.maximum(towards, 1 / _MOST_REACH))


def create(
    take_id: str, root: bpy.types.Object, collection: bpy.types.Collection, backdrop: Backdrop
) -> Iterator[None]:
    """Make the object under the root, in slices, in place of one that was there.

    The photograph is packed into the file. Ends early where root or collection are gone.
    """
    coding = turns.submit("human3r-backdrop", png.encoded, backdrop.picture)
    root_name, home = root.name, collection.name
    while not coding.done():
        yield from turns.wait()
        yield
    root, collection = bpy.data.objects.get(root_name), bpy.data.collections.get(home)
    if root is None or collection is None:
        return
    former = tags.find(take_id, tags.BACKDROP, NAME)
    if former is not None:
        bpy.data.objects.remove(former)
    item = bpy.data.objects.new(NAME, _mesh(rays_of(backdrop), backdrop))
    tags.mark(item, take_id, tags.BACKDROP)
    item.parent = root
    item.location = coordinates.points_to_root(backdrop.center)
    item.visible_shadow = False  # lights behind the card are to reach the people
    item.data.materials.append(_material(_image(coding.result(), backdrop.picture), backdrop.picture))
    modifier = item.modifiers.new(NAME, "NODES")
    modifier.node_group = _node_group(backdrop.card_distance)
    collection.objects.link(item)
    yield


def card_distance_path(item: bpy.types.Object) -> tuple[bpy.types.Modifier, str] | None:
    """The modifier that moves the card, and the path of its input; None where the user has removed it."""
    for modifier in item.modifiers:
        if modifier.type == "NODES" and modifier.node_group is not None:
            socket = modifier.node_group.interface.items_tree.get(CARD_DISTANCE)
            if socket is not None:
                return modifier, f'["{socket.identifier}"]'
    return None


def image_of(item: bpy.types.Object) -> bpy.types.Image | None:
    """The photograph that a backdrop shows; None where the user has put another material on it."""
    for slot in item.material_slots:
        tree = slot.material.node_tree if slot.material is not None else None
        for node in tree.nodes if tree is not None else ():
            if node.type == "TEX_IMAGE" and node.image is not None:
                return node.image
    return None


def _mesh(rays: Rays, backdrop: Backdrop) -> bpy.types.Mesh:
    rows, columns, _ = backdrop.direction.shape
    mesh = bpy.data.meshes.new(NAME)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
    quads = corner + np.array([0, columns, columns + 1, 1])  # counterclockwise as the camera sees them
    mesh.vertices.add(rows * columns)
    mesh.vertices.foreach_set("co", rays.ends(backdrop.card_distance).astype(np.float32).ravel())
    mesh.loops.add(quads.size)
    mesh.loops.foreach_set("vertex_index", quads.astype(np.int32).ravel())
    mesh.polygons.add(len(quads))
    mesh.polygons.foreach_set("loop_start", np.arange(0, quads.size, 4, dtype=np.int32))
    mesh.update(calc_edges=True)
    across, down = np.meshgrid(np.linspace(0, 1, columns), np.linspace(1, 0, rows))
    uv = np.stack([across, down], axis=-1).reshape(-1, 2)[quads.ravel()]
    mesh.uv_layers.new(name=UV_MAP).uv.foreach_set("vector", uv.astype(np.float32).ravel())
    for name, kind, key, values in (
        (_RAY, "FLOAT_VECTOR", "vector", rays.direction),
        (_FLOOR_REACH, "FLOAT", "value", rays.floor_reach),
        (_CARD_REACH, "FLOAT", "value", rays.card_reach),
    ):
        mesh.attributes.new(name, kind, "POINT").data.foreach_set(key, values.astype(np.float32).ravel())
    return mesh


def _image(file: bytes, picture: np.ndarray) -> bpy.types.Image:
    height, width, _ = picture.shape
    image = bpy.data.images.new(f"{NAME}.png", width, height, alpha=False)
    image.pack(data=file, data_len=len(file))
    image.source, image.alpha_mode = "FILE", "NONE"
    image.colorspace_settings.name = "sRGB"
    return image


def _material(image: bpy.types.Image, picture: np.ndarray) -> bpy.types.Material:
    """Shows the photograph as it is; in Solid shading, which shows no textures, its mean color."""
    material, texture = shading.glowing(NAME, "ShaderNodeTexImage")
    texture.image, texture.extension = image, "EXTEND"
    mean = (picture[::8, ::8].reshape(-1, 3) / 255.0).mean(axis=0)
    material.diffuse_color = (*mean**2.2, 1.0)
    return material


def _node_group(card_distance: float) -> bpy.types.NodeTree:
    """Vertices move along their rays, to the floor or to the card, whichever is nearer."""
    tree = bpy.data.node_groups.new(NAME, "GeometryNodeTree")
    tree.is_modifier = True
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    socket = tree.interface.new_socket(CARD_DISTANCE, in_out="INPUT", socket_type="NodeSocketFloat")
    socket.subtype, socket.description = "DISTANCE", "How far in front of the camera the upright card stands"
    socket.min_value, socket.max_value, socket.default_value = _LEAST_DISTANCE_M, _MOST_DISTANCE_M, card_distance
    given, result = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    ray, floor, card = (_named_attribute(tree, name) for name in (_RAY, _FLOOR_REACH, _CARD_REACH))
    ray.data_type = "FLOAT_VECTOR"
    to_card, nearer = tree.nodes.new("ShaderNodeMath"), tree.nodes.new("ShaderNodeMath")
    to_card.operation, nearer.operation = "MULTIPLY", "MINIMUM"
    end, moved = tree.nodes.new("ShaderNodeVectorMath"), tree.nodes.new("GeometryNodeSetPosition")
    end.operation = "SCALE"
    for source, target in (
        (_enabled(card), to_card.inputs[0]),
        (given.outputs[CARD_DISTANCE], to_card.inputs[1]),
        (_enabled(floor), nearer.inputs[0]),
        (to_card.outputs["Value"], nearer.inputs[1]),
        (_enabled(ray), end.inputs[0]),
        (nearer.outputs["Value"], end.inputs["Scale"]),
        (given.outputs["Geometry"], moved.inputs["Geometry"]),
        (end.outputs["Vector"], moved.inputs["Position"]),
        (moved.outputs["Geometry"], result.inputs["Geometry"]),
    ):
        tree.links.new(source, target)
    shading.lay_out(given, ray, floor, card, to_card, nearer, end, moved, result)
    return tree


def _named_attribute(tree: bpy.types.NodeTree, name: str) -> bpy.types.GeometryNode:
    node = tree.nodes.new("GeometryNodeInputNamedAttribute")
    node.data_type = "FLOAT"
    node.inputs["Name"].default_value = name
    return node


def _enabled(node: bpy.types.GeometryNode) -> bpy.types.NodeSocket:
    """The value that an attribute's node gives for its kind of data; other kinds have sockets of the same name."""
    return next(socket for socket in node.outputs if socket.enabled and socket.name == "Attribute")
