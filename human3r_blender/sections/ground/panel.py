# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Floor & Scale of the sidebar."""

import bpy

from ...blender import tags
from ...blender.sidebar import Section
from ...blender.text import characters_across, draw_text, tr
from ...scene import ground_alignment
from ...scene.takes import root_of
from . import TITLE, evidence
from .operators import measured_person


class HUMAN3R_PT_ground(Section, bpy.types.Panel):
    bl_label = TITLE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return any(tags.is_root(item) for item in context.scene.objects)

    def draw(self, context: bpy.types.Context) -> None:
        root = root_of(context)
        found = tags.text(root, ground_alignment.SOURCE) if root is not None else ""
        if root is not None:
            self.layout.prop(context.scene.human3r_ground, "height", slider=True)
        if found:
            said = tr("Floor found from the {source}", source=tr(found))
            draw_text(self.layout.column(align=True), said, characters_across(context), "CHECKMARK")
            self._draw_lines(context, evidence.floor_lines(root))
        if root is not None:
            self._draw_lines(context, evidence.scale_lines(root, measured_person(context, root)))
        column = self.layout.column(align=True)
        column.operator("human3r.floor_from_cursor", icon="PIVOT_CURSOR")
        column.operator("human3r.floor_from_selection", icon="SNAP_FACE")
        column.operator("human3r.face_camera", icon="CAMERA_DATA")
        column.operator("human3r.set_height", icon="USER")
        column.operator("human3r.set_scale", icon="DRIVER_DISTANCE")
        if found:
            column.operator("human3r.found_ground", icon="LOOP_BACK")

    def _draw_lines(self, context: bpy.types.Context, lines: list[str]) -> None:
        column = self.layout.column(align=True)
        for line in lines:
            draw_text(column, line, characters_across(context))


CLASSES = (HUMAN3R_PT_ground,)
