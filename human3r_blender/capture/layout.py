# SPDX-License-Identifier: GPL-3.0-or-later
"""How the options of an import are drawn."""

import bpy

from ..blender.properties import draw_settings
from ..scene.import_options import ImportOptions
from .properties import Human3RSettings


def draw_import_options(layout: bpy.types.UILayout, settings: Human3RSettings) -> None:
    """What of a take comes into the scene, but for where it starts: in the sidebar and in the file browser."""
    layout.use_property_split, layout.use_property_decorate = True, False
    for group in ("Import", "Options"):
        draw_settings(layout.column(heading=group), settings, ImportOptions, group)
    draw_settings(layout, settings, ImportOptions, "Motion")


def draw_start(layout: bpy.types.UILayout, settings: Human3RSettings) -> None:
    """Where in the scene a take starts."""
    layout.use_property_split, layout.use_property_decorate = True, False
    draw_settings(layout, settings, ImportOptions, "Start")
