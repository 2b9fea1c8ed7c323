# SPDX-License-Identifier: GPL-3.0-or-later
"""What all panels of the sidebar's tab Human3R share, and having them drawn again."""

from __future__ import annotations

import bpy

MAIN_PANEL = "HUMAN3R_PT_capture"
"""The panel at the top of the tab, which the sections hang from."""

SIDEBAR = ("VIEW_3D", "UI")


class Human3RPanel:
    """A panel of the tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Human3R"


class Section(Human3RPanel):
    """A section below the main panel, closed until somebody opens it."""

    bl_parent_id = MAIN_PANEL
    bl_options = {"DEFAULT_CLOSED"}


def tag_redraw(*places: tuple[str, str]) -> None:
    """Have these regions drawn again, in all windows: (type of the area, type of the region)."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if (area.type, region.type) in places:
                    region.tag_redraw()
