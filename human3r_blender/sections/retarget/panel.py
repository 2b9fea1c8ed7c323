# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Retarget of the sidebar's tab Human3R."""

import bpy

from ....engine.contract.sentences import Sentence
from ....engine.installed.locations import rig_presets_folder
from ...blender.properties import draw_settings
from ...blender.sidebar import Human3RPanel, Section
from ...blender.text import characters_across, draw_text, tr
from ...rigs import presets
from ...rigs.slots import REQUIRED, label
from . import TITLE, choosing, matched_pose
from .properties import row_label
from .settings import RetargetSettings

_MOST_PROBLEMS = 3
"""Files that are named where several presets cannot be used."""


class HUMAN3R_UL_retarget_bones(bpy.types.UIList):
    """Body parts and the character's bones for them; the field at the bottom filters them."""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0):
        row = layout.split(factor=0.36)
        row.label(text=row_label(item.key), icon="NONE" if item.bone else "DOT")
        character = choosing.character(context, data)
        if character is not None:
            row.prop_search(item, "bone", character.data, "bones", text="")

    def filter_items(self, context, data, property_name):
        wanted = self.filter_name.lower()
        rows = getattr(data, property_name)
        shown = [
            self.bitflag_filter_item if wanted in f"{row_label(row.key)} {row.bone}".lower() else 0 for row in rows
        ]
        return shown, []


class HUMAN3R_PT_retarget(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_idname = "HUMAN3R_PT_retarget"

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_retarget, self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        person, character = choosing.person(context, settings), choosing.character(context, settings)
        column.prop(settings, "source", placeholder="" if person is None else person.name)
        column.prop(settings, "character", placeholder="" if character is None else character.name)
        if character is not None and settings.is_found(character):
            _draw_missing(layout, settings, characters_across(context))
        row = layout.row()
        row.scale_y = 1.3
        row.operator("human3r.retarget", icon="ARMATURE_DATA")
        if settings.report:
            _draw_report(layout.column(align=True), settings, characters_across(context))


class HUMAN3R_PT_retarget_options(Human3RPanel, bpy.types.Panel):
    bl_label = "Options"
    bl_parent_id = HUMAN3R_PT_retarget.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_retarget, self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        character = choosing.character(context, settings)
        row = layout.row(align=True)
        row.prop(settings, "preset")
        row.operator("human3r.retarget_find_bones", text="", icon="FILE_REFRESH")
        _draw_problems(layout, characters_across(context))
        if character is not None and settings.is_found(character):
            _draw_findings(layout, settings, characters_across(context))
        column = layout.column()
        column.row().prop(settings, "controls", expand=True)
        draw_settings(column, settings, RetargetSettings, "Motion")
        if settings.calibration == "POSE" and character is not None:
            matched = matched_pose.PROPERTY in character
            row = column.row()
            row.operator("human3r.retarget_match_pose", icon="CHECKMARK" if matched else "POSE_HLT")
        draw_settings(column, settings, RetargetSettings, "Keys")
        heading = column.row(heading="Frame Range", align=True)
        heading.prop(settings, "use_range", text="")
        part = heading.row(align=True)
        part.active = settings.use_range
        part.prop(settings, "frame_start", text="")
        part.prop(settings, "frame_end", text="")


class HUMAN3R_PT_retarget_bones(Human3RPanel, bpy.types.Panel):
    bl_label = "Bones"
    bl_parent_id = HUMAN3R_PT_retarget.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.human3r_retarget
        character = choosing.character(context, settings)
        return character is not None and settings.is_found(character)

    def draw(self, context: bpy.types.Context) -> None:
        settings = context.scene.human3r_retarget
        self.layout.template_list("HUMAN3R_UL_retarget_bones", "", settings, "rows", settings, "active_row", rows=8)
        row = self.layout.row(align=True)
        row.operator("human3r.retarget_save_preset", icon="FILE_TICK")
        row.operator("human3r.retarget_remove_preset", text="", icon="TRASH")


def _draw_problems(layout: bpy.types.UILayout, characters: int) -> None:
    """Which files among the user's presets cannot be used."""
    _, problems = presets.find_all(rig_presets_folder())
    for problem in problems[:_MOST_PROBLEMS]:
        draw_text(layout.column(align=True), problem.message, characters, icon="ERROR")
    if len(problems) > _MOST_PROBLEMS:
        layout.label(text=tr("More of them: {count}", count=len(problems) - _MOST_PROBLEMS), translate=False)


def _draw_report(column: bpy.types.UILayout, settings: bpy.types.PropertyGroup, characters: int) -> None:
    """What came out, in red where it is wrong."""
    column.alert = settings.report_is_wrong
    draw_text(column, settings.report, characters, icon="ERROR" if settings.report_is_wrong else "INFO")


def _draw_findings(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, characters: int) -> None:
    """What kind of rig it is taken for, what that rests on, and how many bones were found."""
    box = layout.box().column(align=True)
    draw_text(box, settings.evidence, characters - 3, icon="ARMATURE_DATA")
    count = sum(bool(row.bone) for row in settings.rows)
    box.label(text=tr("Bones: {count}", count=count), icon="BLANK1", translate=False)


def _draw_missing(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, characters: int) -> None:
    """Which bones it cannot be done without, where some are missing."""
    filled = {row.key for row in settings.rows if row.bone}
    missing = [label(slot) for slot in REQUIRED if slot not in filled]
    if missing:
        said = Sentence("Missing bones: {names}", names=", ".join(missing))
        draw_text(layout.column(align=True), said, characters, icon="ERROR")


CLASSES = (
    HUMAN3R_UL_retarget_bones,
    HUMAN3R_PT_retarget,
    HUMAN3R_PT_retarget_options,
    HUMAN3R_PT_retarget_bones,
)
