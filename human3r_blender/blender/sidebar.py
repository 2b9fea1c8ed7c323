# SPDX-License-Identifier: GPL-3.0-or-later
"""What all panels of the sidebar's tab Human3R share, and having them drawn again."""

from __future__ import annotations

import bpy

from . import tags

SIDEBAR = ("VIEW_3D", "UI")


class Human3RPanel:
    """A panel of the tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Human3R"


class Section(Human3RPanel):
    """A section of the tab below *Capture*, closed until somebody opens it."""

    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether it applies: by itself where the scene has something of a take."""
        return any(tags.text(item, tags.TAKE) for item in context.scene.objects)


def tag_redraw(*places: tuple[str, str]) -> None:
    """Have these regions drawn again, in all windows: (type of the area, type of the region)."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if (area.type, region.type) in places:
                    region.tag_redraw()
