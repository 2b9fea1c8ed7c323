# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's tab Human3R in the 3D viewport."""

import bpy

from ...engine.contract.messages import FOCAL_SOURCES, FocalLength
from ...engine.contract.sentences import Sentence
from ...engine.contract.settings import CaptureSettings
from ..blender.properties import draw_settings
from ..blender.sidebar import MAIN_PANEL, Human3RPanel, Section
from ..blender.text import characters_across, draw_text, tr, translated
from ..setup import probe, tasks
from ..setup.page import draw_task
from . import session as sessions
from .layout import draw_import_options
from .properties import Human3RSettings

BESIDE_BUTTON = 6
"""Characters that a button without text takes from a line."""


class HUMAN3R_PT_capture(Human3RPanel, bpy.types.Panel):
    bl_label = "Human3R"
    bl_idname = MAIN_PANEL

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.emboss = "NONE"
        self.layout.popover("HUMAN3R_PT_presets", icon="PRESET", text="")

    def draw(self, context: bpy.types.Context) -> None:
        settings, run = context.scene.human3r, sessions.current()
        column = self.layout.column()
        column.enabled = run is None or not run.is_active
        row = column.row(align=True)
        row.prop(settings, "source", text="", placeholder=tr("Footage"))
        row.operator("human3r.choose_video", text="", icon="FILEBROWSER")
        if run is not None and run.is_active:
            self.layout.operator("human3r.cancel_capture", icon="CANCEL")
        else:
            row = self.layout.row(align=True)
            row.scale_y = 1.4
            row.operator("human3r.start_capture", icon="PLAY")
            row.operator("human3r.import_take", text="", icon="IMPORT")
        if run is not None:
            draw_run(self.layout, run, characters_across(context))
        if run is None or not run.is_active:
            draw_setup(self.layout, settings, characters_across(context))


class HUMAN3R_PT_footage(Section, bpy.types.Panel):
    bl_label = "Footage"

    def draw(self, context: bpy.types.Context) -> None:
        column = _settings_column(self, context)
        _draw_groups(column, context.scene.human3r, "Range", "Known")
        column.operator("human3r.use_scene_camera", icon="OUTLINER_OB_CAMERA")
        column.prop(context.scene.human3r, "take")
        self.layout.operator("human3r.send_to_farm", icon="NETWORK_DRIVE")


class HUMAN3R_PT_model(Section, bpy.types.Panel):
    bl_label = "Model"

    def draw(self, context: bpy.types.Context) -> None:
        settings = context.scene.human3r
        column = _settings_column(self, context)
        column.prop(settings, "model_source")
        if settings.model_source == "CHECKPOINT":
            column.prop(settings, "checkpoint")
        elif settings.model_source == "RECIPE":
            column.prop(settings, "recipe")
        _draw_groups(column, settings, "Device", "People", "Memory and camera")


class HUMAN3R_PT_place(Section, bpy.types.Panel):
    bl_label = "Points"

    def draw(self, context: bpy.types.Context) -> None:
        _draw_groups(_settings_column(self, context), context.scene.human3r, "Points", "Take")


class HUMAN3R_PT_scene(Section, bpy.types.Panel):
    bl_label = "Scene"

    def draw(self, context: bpy.types.Context) -> None:
        draw_import_options(_settings_column(self, context), context.scene.human3r)
        self.layout.prop(context.scene.human3r, "follow")


def draw_setup(layout: bpy.types.UILayout, settings: Human3RSettings, characters: int) -> None:
    """What is used, or what is missing, with the way to the preferences."""
    task = tasks.current()
    if task is not None and task.is_active:
        draw_task(layout, task, characters)
        return
    facts = probe.facts()
    if facts.engine.state != "ready":
        row = layout.row()
        row.alert = True
        row.label(text="The engine is not ready", icon="ERROR")
        layout.operator("human3r.show_preferences", text="Set Up in Preferences", icon="PREFERENCES")
        return
    row = layout.row()
    column = row.column(align=True)
    released = settings.released_weights()
    if released is not None:
        model = "Model: released {name}" if released.installed else "Model: released {name} (not installed)"
        draw_text(column, Sentence(model, name=released.item.name), characters - BESIDE_BUTTON)
    elif settings.model_source in ("DEFAULT", "EMBEDDED"):
        draw_text(column, "Model: built-in (landmarks)", characters - BESIDE_BUTTON)
    draw_text(
        column,
        {
            "mannequin": "Body: mannequin (SMPL-X not installed)",
            "installed": "Body: SMPL-X",
            "chosen": "Body: your own file",
            "absent": "Body: your own file is missing",
        }[facts.body],
        characters - BESIDE_BUTTON,
    )
    row.operator("human3r.show_preferences", text="", icon="PREFERENCES")


def describe_focal(focal: FocalLength) -> Sentence:
    """The clip's focal length with its uncertainty and where it comes from."""
    text = (
        "Focal length: {focal} px, {source}"
        if not focal.relative_sigma
        else ("Focal length: {focal} px ± {sigma} %, {source}")
    )
    return Sentence(
        text,
        focal=round(focal.focal_px),
        sigma=round(100 * focal.relative_sigma),
        source=Sentence(FOCAL_SOURCES[focal.source]),
    )


def draw_camera(layout: bpy.types.UILayout, run: sessions.Session, characters: int) -> None:
    """What is known of the camera: how it moves, its focal length, and what the final pass has to say."""
    focal = describe_focal(run.focal) if run.focal is not None else None
    known = [text for text in (sessions.describe_camera(run), focal) if text is not None]
    for text, icon in zip(known, ("CAMERA_DATA", "BLANK1"), strict=False):
        draw_text(layout, text, characters, icon=icon)
    if run.camera_note:
        draw_text(layout, run.camera_note, characters, icon="INFO")


def draw_run(layout: bpy.types.UILayout, run: sessions.Session, characters: int) -> None:
    """Progress of the run, or how it ended."""
    progress, column = run.progress, layout.column(align=True)
    if run.is_active:
        column.progress(factor=progress.fraction, text=f"{progress.fraction:.0%}" if progress.frames_total else "")
        running = progress.phase == "running"
        if progress.frames_done:
            count, *pace = progress.parts()
            column.label(text=translated(count), translate=False)
            doing = ", ".join(map(translated, pace)) if running else translated(progress.text or "Finishing")
            column.label(text=doing, translate=False)
        else:
            draw_text(column, progress.text or "Starting", characters)
    elif run.error is not None:
        box = layout.box().column(align=True)
        box.alert = True
        draw_text(box, run.error.message, characters - 3, icon="ERROR")
        box.alert = False
        box.separator()
        draw_text(box, run.error.remedy, characters - 3)
        box.separator()
        box.operator("human3r.copy_error", icon="COPYDOWN")
    else:
        icon = "CHECKMARK" if progress.phase == "complete" else "INFO"
        ended = {"complete": "Done: {progress}", "cancelled": "Canceled: {progress}"}
        parts = ", ".join(map(translated, progress.parts()))
        text = Sentence(ended.get(progress.phase, "Incomplete: {progress}"), progress=parts)
        draw_text(column, text, characters, icon=icon)
        for note in run.notes:
            draw_text(column, note, characters)
        if run.may_ask_for_all:
            column.operator("human3r.import_all")
    if run.error is None:
        draw_camera(layout.column(align=True), run, characters)
    if run.header is not None and "recipe" in run.header.model:
        draw_text(
            layout.column(align=True),
            "Recipe weights are random: they only test the way from footage to scene. People and points are not real.",
            characters,
            icon="INFO",
        )


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


CLASSES = (HUMAN3R_PT_capture, HUMAN3R_PT_footage, HUMAN3R_PT_model, HUMAN3R_PT_place, HUMAN3R_PT_scene)
