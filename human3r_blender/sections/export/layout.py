# SPDX-License-Identifier: GPL-3.0-or-later
"""How the settings of an export are drawn."""

import bpy

from ...blender import properties
from ...person import characters
from .properties import OTHER_RATE, Human3RExport
from .scene_files import SCENE_FILES
from .settings import ExportSettings


def draw_settings(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Human3RExport) -> None:
    """What is exported and how, in the file browser."""
    draw_formats(layout, settings)
    draw_options(layout, context, settings)


def draw_formats(layout: bpy.types.UILayout, settings: Human3RExport) -> None:
    """In which formats people are exported."""
    grid = layout.grid_flow(row_major=True, columns=3, even_columns=True, align=True)
    grid.use_property_split = False
    grid.prop(settings, "formats", expand=True)


def draw_options(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Human3RExport) -> None:
    """All else that can be said about an export."""
    layout.use_property_split, layout.use_property_decorate = True, False
    layout.label(text="Camera and Environment")
    grid = layout.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    grid.use_property_split = False
    grid.prop(settings, "scene_files", expand=True)
    column = layout.column()
    if "COLMAP" in settings.scene_files:
        column.prop(settings, "colmap_format")
        column.prop(settings, "images")
    if any(SCENE_FILES[name].write is None for name in settings.chosen_scene_files()):
        column.prop(settings, "every")
        column.prop(settings, "footage")
    if characters.characters_in(context.scene):
        column.prop(settings, "subjects")
    if "FBX" in settings.formats:
        column.prop(settings, "target")
    column.prop(settings, "rate")
    if settings.rate == OTHER_RATE:
        column.prop(settings, "other_rate")
    column.prop(settings, "everyone")
    properties.draw_settings(column, settings, ExportSettings, "People", "Files")
