# SPDX-License-Identifier: GPL-3.0-or-later
"""The section People of the sidebar's tab Human3R: who there is, and below it what can be done with them."""

import bpy

from ...blender.sidebar import Human3RPanel, Section
from ...blender.text import characters_across, tr
from ...person import selection
from ...setup import jobs, tasks
from ...setup.page import draw_task
from . import TITLE
from .listed import draw_people


class HUMAN3R_PT_people(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_idname = "HUMAN3R_PT_people"
    bl_options = set()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(selection.people(context, True))

    def draw(self, context: bpy.types.Context) -> None:
        people, chosen = selection.people(context, True), selection.people(context, False)
        draw_people(self.layout, people, chosen)
        self.layout.operator("human3r.bake_correctives", icon="SHAPEKEY_DATA")


class HUMAN3R_PT_edit_people(Human3RPanel, bpy.types.Panel):
    bl_label = "Edit"
    bl_parent_id = HUMAN3R_PT_people.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_people, self.layout
        chosen = selection.people(context, False)
        layout.label(text=selection.names(chosen) if chosen else tr("No people selected"), icon="ARMATURE_DATA")
        column = layout.column(align=True)
        column.enabled = bool(chosen)
        if len(chosen) > 1:
            column.operator("human3r.merge_people", text="Merge", icon="AUTOMERGE_ON")
            column.operator("human3r.swap_people", text="Swap from Here", icon="UV_SYNC_SELECT")
        else:
            column.operator_menu_enum("human3r.merge_people", "other", text="Merge With", icon="AUTOMERGE_ON")
            column.operator_menu_enum("human3r.swap_people", "other", text="Swap from Here With", icon="UV_SYNC_SELECT")
        column.operator("human3r.split_people", text="Split Here", icon="MOD_EDGESPLIT")
        row = column.row(align=True)
        row.operator("human3r.rename_person", text="Rename", icon="SORTALPHA")
        row.operator("human3r.delete_people", text="Delete", icon="TRASH")
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        column.prop(settings, "gap_limit_s")
        column.prop(settings, "everyone")
        row = column.row()
        row.enabled = bool(chosen) or settings.everyone
        button = row.operator("human3r.fill_gaps", text="Fill Gaps", icon="IPO_BEZIER")
        button.limit_s, button.everyone = settings.gap_limit_s, settings.everyone
        layout.operator("human3r.save_to_take", icon="FILE_TICK")
        task = tasks.current()
        if isinstance(task, jobs.TakeEdit):
            draw_task(layout, task, characters_across(context))


CLASSES = (HUMAN3R_PT_people, HUMAN3R_PT_edit_people)
