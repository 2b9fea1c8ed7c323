# SPDX-License-Identifier: GPL-3.0-or-later
"""3D views: which there are, what of one is free of panels, and turning one towards something."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
from mathutils import Vector

_HALF_SENSOR_MM = 36.0
"""Half of the width that a view's lens is for: Blender's views show twice what a camera with 36 mm does."""
_MARGIN = 1.25
"""How much more than a thing a view shows of it."""


def areas() -> Iterator[bpy.types.Area]:
    """All 3D views of all workspaces."""
    for screen in bpy.data.screens:
        yield from (area for area in screen.areas if area.type == "VIEW_3D")


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


def look_at(area: bpy.types.Area, middle: Vector, radius: float) -> None:
    """Have a 3D view show, in its free part, a ball around `middle` with this radius, meters; it keeps direction."""
    view, region = area.spaces.active, area.spaces.active.region_3d
    left, bottom, right, top = free_part(area)
    width, height = (max(size, 1) for size in _size(area))
    longer = max(width, height)
    seen = max(min(right - left, top - bottom), 1) / longer  # of what a view shows of its longer side
    distance = _MARGIN * radius * view.lens / _HALF_SENSOR_MM / seen
    pixel = 2 * distance * _HALF_SENSOR_MM / view.lens / longer
    aside = Vector(((left + right - width) / 2 * pixel, (bottom + top - height) / 2 * pixel, 0.0))
    region.view_distance = distance
    region.view_location = middle - region.view_rotation @ aside


def _size(area: bpy.types.Area) -> tuple[int, int]:
    window = next(region for region in area.regions if region.type == "WINDOW")
    return window.width, window.height
