# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Export of the sidebar's tab Human3R, and the entries of the File menu."""

import bpy

from ...blender.sidebar import Human3RPanel, Section
from ...blender.text import characters_across, draw_text
from ...setup import jobs, tasks
from ...setup.page import draw_task
from . import TITLE, operators
from .layout import draw_formats, draw_options


class HUMAN3R_PT_export(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_idname = "HUMAN3R_PT_export"

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_export, self.layout
        draw_formats(layout, settings)
        people, cast = settings.chosen(context)
        chosen = [*people, *cast]
        row = layout.row()
        row.enabled = bool(settings.scene_files or (chosen and settings.formats))
        somebody = chosen or settings.everyone or settings.scene_files
        row.operator(
            operators.HUMAN3R_OT_export.bl_idname,
            text="Export..." if somebody else "Export... (Nobody Selected)",  # a browser follows
            icon="EXPORT",
        )
        draw_engine(layout, characters_across(context))
        layout.operator(operators.HUMAN3R_OT_import_motion.bl_idname, text="Import Motion...", icon="IMPORT")


class HUMAN3R_PT_export_options(Human3RPanel, bpy.types.Panel):
    bl_label = "Options"
    bl_parent_id = HUMAN3R_PT_export.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        draw_options(self.layout, context, context.scene.human3r_export)


def draw_engine(layout: bpy.types.UILayout, characters: int) -> None:
    """How far the engine's part of an export is, or how it ended."""
    task = tasks.current()
    if not isinstance(task, jobs.TakeExport):
        return
    draw_task(layout, task, characters)
    for note in task.notes:
        draw_text(layout.column(align=True), note, characters, icon="INFO")


def _draw_export_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(operators.HUMAN3R_OT_export.bl_idname, text="Human3R People")


def _draw_import_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(operators.HUMAN3R_OT_import_motion.bl_idname, text="Human3R Motion (.npz, .pt, .pkl)")


CLASSES = (HUMAN3R_PT_export, HUMAN3R_PT_export_options)
MENU_ENTRIES = (("TOPBAR_MT_file_export", _draw_export_menu), ("TOPBAR_MT_file_import", _draw_import_menu))
