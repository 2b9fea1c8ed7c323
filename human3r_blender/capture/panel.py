# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel *Capture* at the top of the sidebar's tab Human3R: footage, Start, and how the run gets on."""

import bpy

from ...engine.contract.sentences import Sentence
from ..blender.sidebar import Human3RPanel
from ..blender.text import characters_across, draw_text, tr
from ..setup import probe, tasks
from ..setup.page import draw_task
from . import session as sessions
from .properties import Human3RSettings
from .run_view import draw_run

MAIN_PANEL = "HUMAN3R_PT_capture"
"""What its groups of settings hang from."""

BESIDE_BUTTON = 6
"""Characters that a button without text takes from a line."""


class HUMAN3R_PT_capture(Human3RPanel, bpy.types.Panel):
    bl_label = "Capture"
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
        if settings.released_weights() is None and settings.model_source in ("DEFAULT", "EMBEDDED"):
            column.row(align=True).prop(settings, "quality", expand=True)
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


CLASSES = (HUMAN3R_PT_capture,)
