# SPDX-License-Identifier: GPL-3.0-or-later
"""The two closed groups of settings below *Capture*: *Settings* for every capture, and *Advanced*."""

import bpy

from ...engine.contract.settings import CaptureSettings
from ..blender.properties import draw_settings
from ..blender.sidebar import Human3RPanel
from . import session as sessions
from .layout import draw_import_options, draw_start
from .panel import MAIN_PANEL
from .properties import Human3RSettings


class _Group(Human3RPanel):
    """A group of settings, closed until somebody opens it."""

    bl_parent_id = MAIN_PANEL
    bl_options = {"DEFAULT_CLOSED"}


class HUMAN3R_PT_footage(_Group, bpy.types.Panel):
    bl_label = "Settings"
    bl_idname = "HUMAN3R_PT_footage"

    def draw(self, context: bpy.types.Context) -> None:
        column, settings = _settings_column(self, context), context.scene.human3r
        _draw_groups(column, settings, "Range")
        draw_start(column, settings)
        column.prop(settings, "take")
        column.prop(settings, "follow")
        self.layout.operator("human3r.send_to_farm", icon="NETWORK_DRIVE")


class HUMAN3R_PT_known(_Group, bpy.types.Panel):
    bl_label = "Known Facts"
    bl_parent_id = HUMAN3R_PT_footage.bl_idname

    def draw(self, context: bpy.types.Context) -> None:
        column = _settings_column(self, context)
        _draw_groups(column, context.scene.human3r, "Known")
        column.operator("human3r.use_scene_camera", icon="OUTLINER_OB_CAMERA")


class HUMAN3R_PT_scene(_Group, bpy.types.Panel):
    bl_label = "Import"
    bl_parent_id = HUMAN3R_PT_footage.bl_idname

    def draw(self, context: bpy.types.Context) -> None:
        draw_import_options(_settings_column(self, context), context.scene.human3r)


class HUMAN3R_PT_model(_Group, bpy.types.Panel):
    bl_label = "Advanced"
    bl_idname = "HUMAN3R_PT_model"

    def draw(self, context: bpy.types.Context) -> None:
        settings = context.scene.human3r
        column = _settings_column(self, context)
        column.prop(settings, "model_source")
        if settings.model_source == "CHECKPOINT":
            column.prop(settings, "checkpoint")
        elif settings.model_source == "RECIPE":
            column.prop(settings, "recipe")
        _draw_groups(column, settings, "Device", "People", "Memory and camera")


class HUMAN3R_PT_place(_Group, bpy.types.Panel):
    bl_label = "Points"
    bl_parent_id = HUMAN3R_PT_model.bl_idname

    def draw(self, context: bpy.types.Context) -> None:
        _draw_groups(_settings_column(self, context), context.scene.human3r, "Points", "Take")


def _settings_column(panel: bpy.types.Panel, context: bpy.types.Context) -> bpy.types.UILayout:
    """A column for settings, grayed out while a capture or import uses them."""
    panel.layout.use_property_split, panel.layout.use_property_decorate = True, False
    column = panel.layout.column()
    run = sessions.current()
    column.enabled = run is None or not run.is_active
    return column


def _draw_groups(layout: bpy.types.UILayout, settings: Human3RSettings, *groups: str) -> None:
    for group in groups:
        draw_settings(layout.column(align=True), settings, CaptureSettings, group)


CLASSES = (HUMAN3R_PT_footage, HUMAN3R_PT_known, HUMAN3R_PT_scene, HUMAN3R_PT_model, HUMAN3R_PT_place)
