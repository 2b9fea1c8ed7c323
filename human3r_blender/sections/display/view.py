# SPDX-License-Identifier: GPL-3.0-or-later
"""Which 3D view an operator means, wherever it is called from, and how a camera's picture fits into it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import bpy
from mathutils import Matrix, Vector

from ...blender.text import tr
from ...blender.views import free_part
from ...person import armature

_MARGIN = 0.96
"""Share of the room that a camera's picture takes."""
_MOST_NEARER = 0.5
"""Share of the distance."""
_LEAST_ZOOM, _MOST_ZOOM = -30.0, 600.0


def area_of(context: bpy.types.Context) -> bpy.types.Area | None:
    """The 3D view that the mouse is in, else the largest one of the window; None without any."""
    if context.area is not None and context.area.type == "VIEW_3D":
        return context.area
    areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"] if context.window else []
    return max(areas, key=lambda area: area.width * area.height, default=None)


def has_view(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether there is a 3D view; sets the poll message where there is none."""
    if area_of(context) is None:
        operator.poll_message_set(tr("There is no 3D Viewport in this window"))
        return False
    return True


def joints(context: bpy.types.Context, people: Iterable[bpy.types.Object]) -> list[Vector]:
    """Where the joints of those people are in the scene, meters, who are seen at the current frame."""
    depsgraph = context.evaluated_depsgraph_get()
    seen = [item.evaluated_get(depsgraph) for item in people if item.visible_get()]
    return [
        item.matrix_world @ bone.head for item in seen for bone in item.pose.bones if bone.name != armature.ROOT_BONE
    ]


def in_depth(seen_from: bpy.types.RegionView3D, nearer: float, distance: float) -> Matrix:
    """(4, 4) what moves things in front of a view about so many meters nearer, or farther for a number below 0, and
    leaves them where they are seen. `distance` is about how far away they are, meters.
    """
    if not seen_from.is_perspective:
        return Matrix.Translation((0.0, 0.0, nearer))
    return Matrix.Scale(1.0 - min(nearer / max(distance, 1e-6), _MOST_NEARER), 4)


def fit_camera(area: bpy.types.Area, aspect: float) -> None:
    """Zoom and move a camera's view so that its picture fills what the sidebar, the tools and the headers leave free.

    `aspect` is the picture's height over its width; the camera fits its picture's width.
    """
    window = next(region for region in area.regions if region.type == "WINDOW")
    left, bottom, right, top = free_part(area)
    size = (window.width, window.height)
    zoom, offset = camera_zoom_and_offset(size, (left, bottom, right, top), aspect)
    area.spaces.active.region_3d.view_camera_zoom = zoom
    area.spaces.active.region_3d.view_camera_offset = offset


def camera_zoom_and_offset(
    size: tuple[int, int], free: tuple[int, int, int, int], aspect: float
) -> tuple[float, tuple[float, float]]:
    """Blender's zoom and offset of a camera's view with which the picture fills the `free` part of a region.

    The picture is `size[0]` times a factor wide, with factor = (sqrt(2) + zoom / 50)^2 / 4, and an offset moves it by
    itself times twice the factor times the region's size, against its sign.
    """
    left, bottom, right, top = free
    factor = _MARGIN * min(right - left, (top - bottom) / aspect) / size[0]
    zoom = min(max(50 * (2 * math.sqrt(factor) - math.sqrt(2)), _LEAST_ZOOM), _MOST_ZOOM)
    factor = (math.sqrt(2) + zoom / 50) ** 2 / 4
    return zoom, ((size[0] - left - right) / (4 * factor * size[0]), (size[1] - bottom - top) / (4 * factor * size[1]))
