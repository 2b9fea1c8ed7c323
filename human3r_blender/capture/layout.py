# SPDX-License-Identifier: GPL-3.0-or-later
"""How the options of an import are drawn."""

import bpy

from .properties import Human3RSettings


def draw_import_options(layout: bpy.types.UILayout, settings: Human3RSettings) -> None:
    """What of a take comes into the scene: in the sidebar and in the file browser."""
    layout.use_property_split, layout.use_property_decorate = True, False
    column = layout.column(heading="Import")
    for name in ("import_people", "import_camera", "import_points"):
        column.prop(settings, name)
    column = layout.column(heading="Options")
    for name in ("show_footage", "set_scene_timing", "pose_correctives"):
        column.prop(settings, name)
    layout.prop(settings, "ground")
    layout.prop(settings, "clean")
    layout.prop(settings, "absence_s")
