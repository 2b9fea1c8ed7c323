# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Export of the sidebar's tab Human3R, and the entries of the File menu."""

import bpy

from ...blender.sidebar import Section
from ...person import selection
from . import TITLE, operators
from .layout import draw_settings


class HUMAN3R_PT_export(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_idname = "HUMAN3R_PT_export"

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_export, self.layout
        draw_settings(layout, settings)
        chosen = selection.people(context, settings.everyone)
        row = layout.row()
        row.enabled = bool(chosen and settings.formats)
        row.operator(
            operators.HUMAN3R_OT_export.bl_idname,
            text="Export..." if chosen or settings.everyone else "Export... (Nobody Selected)",  # a browser follows
            icon="EXPORT",
        )
        layout.operator(operators.HUMAN3R_OT_import_motion.bl_idname, text="Import AMASS Motion...", icon="IMPORT")


def _draw_export_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(operators.HUMAN3R_OT_export.bl_idname, text="Human3R People")


def _draw_import_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(operators.HUMAN3R_OT_import_motion.bl_idname, text="AMASS Motion, SMPL-X (.npz)")


CLASSES = (HUMAN3R_PT_export,)
MENU_ENTRIES = (("TOPBAR_MT_file_export", _draw_export_menu), ("TOPBAR_MT_file_import", _draw_import_menu))
