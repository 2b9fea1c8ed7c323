# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Display of the sidebar's tab Human3R."""

import bpy

from ...blender.sidebar import Section
from . import TITLE, camera_view
from .operators import COLORED
from .view import area_of


class HUMAN3R_PT_display(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_options = set()

    def draw(self, context: bpy.types.Context) -> None:
        layout, display, area = self.layout, context.scene.human3r_display, area_of(context)
        if area is None:
            return
        entered = camera_view.is_entered(area)
        row = layout.row()
        row.scale_y = 1.2
        row.operator(
            "human3r.play_camera_view",
            text="Back to My View" if entered else "Play Camera View",
            icon="LOOP_BACK" if entered else "PLAY",
            depress=entered,
        )
        row = layout.row()
        row.enabled = not entered
        row.prop(display, "hide_points")
        row = layout.row(align=True)
        row.operator("human3r.show_colors", icon="SHADING_TEXTURE", depress=area.spaces.active.shading.type == COLORED)
        row.prop(display, "show_names", toggle=True, icon="SORTALPHA")
        row = layout.row(align=True)
        row.operator("human3r.color_people", icon="COLOR")
        row.operator("human3r.paint_people", text="", icon="BRUSH_DATA")


CLASSES = (HUMAN3R_PT_display,)
