# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Export of the sidebar's tab Human3R, and the entries of the File menu."""

import bpy

from ..panels import HUMAN3R_PT_capture, Human3RPanel
from ..people_tools import selection
from . import operators
from .properties import OTHER_RATE, Human3RExport


class HUMAN3R_PT_export(Human3RPanel, bpy.types.Panel):
    bl_label = "Export"
    bl_idname = "HUMAN3R_PT_export"
    bl_parent_id = HUMAN3R_PT_capture.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_export, self.layout
        draw_settings(layout, settings)
        chosen = selection.people(context, settings.everyone)
        row = layout.row()
        row.enabled = bool(chosen and settings.formats)
        # ends in dots, for a file browser follows
        text = "Export..." if chosen or settings.everyone else "Export... (nobody selected)"
        row.operator(operators.HUMAN3R_OT_export.bl_idname, text=text, icon="EXPORT")
        layout.operator(operators.HUMAN3R_OT_import_motion.bl_idname, text="Import AMASS Motion...", icon="IMPORT")


def draw_settings(layout: bpy.types.UILayout, settings: Human3RExport) -> None:
    """What is exported and how: in the sidebar and in the file browser."""
    layout.use_property_split, layout.use_property_decorate = True, False
    grid = layout.grid_flow(row_major=True, columns=3, even_columns=True, align=True)
    grid.use_property_split = False
    grid.prop(settings, "formats", expand=True)
    column = layout.column()
    if "FBX" in settings.formats:
        column.prop(settings, "target")
    column.prop(settings, "rate")
    if settings.rate == OTHER_RATE:
        column.prop(settings, "other_rate")
    for name in ("everyone", "together", "camera", "overwrite"):
        column.prop(settings, name)


def _draw_export_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(operators.HUMAN3R_OT_export.bl_idname, text="Human3R People")


def _draw_import_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(operators.HUMAN3R_OT_import_motion.bl_idname, text="AMASS Motion, SMPL-X (.npz)")


def register() -> None:
    bpy.utils.register_class(HUMAN3R_PT_export)
    bpy.types.TOPBAR_MT_file_export.append(_draw_export_menu)
    bpy.types.TOPBAR_MT_file_import.append(_draw_import_menu)


def unregister() -> None:
    bpy.types.TOPBAR_MT_file_import.remove(_draw_import_menu)
    bpy.types.TOPBAR_MT_file_export.remove(_draw_export_menu)
    bpy.utils.unregister_class(HUMAN3R_PT_export)
