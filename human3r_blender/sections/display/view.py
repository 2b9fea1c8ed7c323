# SPDX-License-Identifier: GPL-3.0-or-later
"""Which 3D view an operator means, wherever it is called from, and how a camera's picture fits into it."""

from __future__ import annotations

import math

import bpy

from ...blender.text import tr

_MARGIN = 0.96
"""Share of the room that a camera's picture takes."""
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


def free_part(area: bpy.types.Area) -> tuple[int, int, int, int]:
    """Left, bottom, right and top of what no other region covers of a 3D view: pixels from its lower left corner."""
    window = next(region for region in area.regions if region.type == "WINDOW")
    left, bottom, right, top = 0, 0, window.width, window.height
    for other in area.regions:
        if other == window or other.width <= 1 or other.height <= 1:
            continue
        x, y = other.x - window.x, other.y - window.y
        if other.alignment == "RIGHT":
            right = min(right, x)
        elif other.alignment == "LEFT":
            left = max(left, x + other.width)
        elif other.alignment == "TOP":
            top = min(top, y)
        elif other.alignment == "BOTTOM":
            bottom = max(bottom, y + other.height)
    if right - left < window.width / 4 or top - bottom < window.height / 4:
        return 0, 0, window.width, window.height
    return left, bottom, right, top


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
