# SPDX-License-Identifier: GPL-3.0-or-later
"""Which 3D view an operator means, wherever it is called from."""

from __future__ import annotations

import bpy


def area_of(context: bpy.types.Context) -> bpy.types.Area | None:
    """The 3D view that the mouse is in, else the largest one of the window; None without any."""
    if context.area is not None and context.area.type == "VIEW_3D":
        return context.area
    areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"] if context.window else []
    return max(areas, key=lambda area: area.width * area.height, default=None)


def has_view(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether there is a 3D view; sets the poll message where there is none."""
    if area_of(context) is None:
        operator.poll_message_set("There is no 3D view in this window")
        return False
    return True
