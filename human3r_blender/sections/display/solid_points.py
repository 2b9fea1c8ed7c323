# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene points in their colors in Solid view, in which Blender draws a point cloud in one gray.

The object itself stays as it is, for Material Preview, Rendered and renders: over each of its gray balls a dot is
drawn, as large as the ball and a little nearer, so that bodies hide dots and are hidden by them as by the balls. Dots
of one drawing have one size in pixels, so the points are drawn in parts that each have about one distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector

from ...blender import tags
from ...scene import point_cloud
from . import changes
from .drawing import Drawing
from .view import in_depth

_SHADERS = ("POINT_FLAT_COLOR", "FLAT_COLOR")
"""Blender's own shader for colored dots, as later and earlier Blenders call it."""
_BOXES, _SAMPLE, _LEAST_TO_PART = 4, 5_000, 2_000
"""Boxes along each axis; of how many points their borders are found; with how few points there is one box."""
_NEARER = 1.4
"""How far before its ball's center a dot is drawn, in radii: the ball's nearest point is one radius before it."""
_NEAREST_SHARE = 0.4
"""Of the distance of a part's middle: as near as its nearest point is taken for."""
_LEAST_PX, _MOST_PX = 2.0, 128.0

_drawn: dict[int, _Drawn] = {}
"""What is drawn of each object, by its session number."""


@dataclass(frozen=True)
class Points:
    """The points that an object shows, after its modifiers."""

    position: np.ndarray
    """(N, 3) float32, meters, the object's frame."""
    color: np.ndarray
    """(N, 4) float32, sRGB and alpha in 0..1."""
    radius: float
    """Meters, the object's frame."""


@dataclass(frozen=True)
class _Part:
    """Points near one another."""

    middle: Vector
    """In the object's frame."""
    reach: float
    """How far from there the farthest is, meters."""
    batch: Any


@dataclass(frozen=True)
class _Drawn:
    """Points as the graphics card has them."""

    revision: changes.Revision
    parts: tuple[_Part, ...]
    radius: float


def shown_points(item: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> Points | None:
    """The colored points of an object; None where it shows none."""
    for instance in depsgraph.object_instances:
        shown, owner = instance.object, instance.parent  # Blender has what modifiers make as instances of their object
        if shown.type == "POINTCLOUD" and owner is not None and owner.original == item == shown.original:
            return _read(shown.data)
    return None


def _read(cloud: bpy.types.PointCloud) -> Points | None:
    color = cloud.attributes.get(point_cloud.COLOR)
    count = len(cloud.points)
    if not count or color is None or color.data_type != "BYTE_COLOR" or color.domain != "POINT":
        return None
    positions, colors, radii = np.empty(3 * count, np.float32), np.empty(4 * count, np.float32), np.zeros(count)
    cloud.attributes["position"].data.foreach_get("vector", positions)
    color.data.foreach_get("color_srgb", colors)
    if "radius" in cloud.attributes:
        radii = np.empty(count, np.float32)
        cloud.attributes["radius"].data.foreach_get("value", radii)
    return Points(positions.reshape(-1, 3), colors.reshape(-1, 4), float(radii.max()))


def parts(position: np.ndarray) -> list[np.ndarray]:
    """Rows of (N, 3) positions, in up to 64 parts of points that lie near one another, in boxes of about equal use."""
    if len(position) < _LEAST_TO_PART:
        return [np.arange(len(position))]
    borders = np.quantile(position[:: max(len(position) // _SAMPLE, 1)], np.arange(1, _BOXES) / _BOXES, axis=0)
    box = np.zeros(len(position), np.uint8)
    for places, crossed in zip(position.T, borders.T, strict=True):
        box = _BOXES * box + sum((places > border).astype(np.uint8) for border in crossed)
    order, sizes = np.argsort(box, kind="stable"), np.bincount(box)
    return np.split(order, np.cumsum(sizes[sizes > 0])[:-1])


def dot_size(radius: float, distance: float, height: float, zoom: float) -> float:
    """Pixels across of a ball of `radius` meters, `distance` meters before the view (1 in one without perspective).

    `height` is the region's in pixels, `zoom` what the view's projection stretches heights by.
    """
    return min(max(radius * zoom * height / max(distance, 1e-6), _LEAST_PX), _MOST_PX)


def clouds(context: bpy.types.Context, view: bpy.types.SpaceView3D | None) -> list[bpy.types.Object]:
    """The scene points that a 3D view shows (any, for None)."""
    if view is not None and not view.show_object_viewport_pointcloud:
        return []
    return [
        item
        for item in context.view_layer.objects
        if tags.text(item, tags.ROLE) == tags.POINTS and item.visible_get(viewport=view)
    ]


def draw() -> None:
    """Draw the points into the region that is being drawn: Blender calls it."""
    context = bpy.context
    view, seen_from = context.space_data, context.region_data
    if seen_from is None or view.shading.type != "SOLID" or not context.scene.human3r_display.color_points:
        return
    for item in clouds(context, view):
        drawn = _up_to_date(item, context)
        if drawn is not None and drawn.parts:
            _draw_cloud(drawn, item.matrix_world, seen_from, context.region.height)


def _up_to_date(item: bpy.types.Object, context: bpy.types.Context) -> _Drawn:
    """What is drawn of an object, made anew where its points have changed."""
    now = changes.revision(item)
    drawn = _drawn.get(item.session_uid)
    if drawn is None or drawn.revision != now:
        _forget_removed()
        found = shown_points(item, context.evaluated_depsgraph_get())
        drawn = _drawn[item.session_uid] = _Drawn(now, (), 0.0) if found is None else _on_the_card(found, now)
    return drawn


def _on_the_card(points: Points, revision: changes.Revision) -> _Drawn:
    made = tuple(_part(points.position[rows], points.color[rows]) for rows in parts(points.position))
    return _Drawn(revision, made, points.radius)


def _part(position: np.ndarray, color: np.ndarray) -> _Part:
    middle = position.mean(axis=0)
    reach = float(np.linalg.norm(position - middle, axis=1).max())
    return _Part(Vector(middle), reach, batch_for_shader(_shader(), "POINTS", {"pos": position, "color": color}))


def _shader() -> gpu.types.GPUShader:
    for name in _SHADERS[:-1]:
        try:
            return gpu.shader.from_builtin(name)
        except ValueError:  # of a later Blender
            continue
    return gpu.shader.from_builtin(_SHADERS[-1])


def _draw_cloud(drawn: _Drawn, place: Matrix, seen_from: bpy.types.RegionView3D, height: int) -> None:
    shader, radius = _shader(), drawn.radius * place.median_scale
    stretch = seen_from.window_matrix[1][1]
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    for part in drawn.parts:
        distance = (seen_from.perspective_matrix @ place @ part.middle.to_4d()).w
        nearer = in_depth(seen_from, _NEARER * radius, distance)
        if seen_from.is_perspective:  # as large as the nearest ball, so that none looks out
            distance = max(distance - part.reach * place.median_scale, _NEAREST_SHARE * distance)
        gpu.state.point_size_set(dot_size(radius, distance, height, stretch))
        with gpu.matrix.push_pop():
            gpu.matrix.load_matrix(nearer @ seen_from.view_matrix @ place)
            part.batch.draw(shader)
    gpu.state.point_size_set(1.0)
    gpu.state.depth_mask_set(False)
    gpu.state.depth_test_set("NONE")


def _forget_removed() -> None:
    there = {item.session_uid for item in bpy.data.objects}
    for gone in _drawn.keys() - there:
        del _drawn[gone]


def forget() -> None:
    """Free what the graphics card holds."""
    _drawn.clear()


_drawing = Drawing(draw, "POST_VIEW", forget)
HANDLERS, switch_on, switch_off = _drawing.handlers(), _drawing.switch_on, _drawing.switch_off
