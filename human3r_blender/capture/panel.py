# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel *Capture* at the top of the sidebar's tab Human3R: footage, Start, and how the run gets on."""

from pathlib import Path

import bpy

from ...engine.contract.sentences import Sentence
from ..blender.sidebar import Human3RPanel
from ..blender.text import characters_across, tr
from ..setup import probe, tasks
from ..setup.page import draw_task
from . import honesty
from . import session as sessions
from .clip_view import draw_clip
from .editor_strips import draw_button as draw_strip_button
from .properties import Human3RSettings
from .resuming import draw_resume
from .run_view import draw_run

MAIN_PANEL = "HUMAN3R_PT_capture"
"""What its groups of settings hang from."""


class HUMAN3R_PT_capture(Human3RPanel, bpy.types.Panel):
    bl_label = "Capture"
    bl_idname = MAIN_PANEL

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.emboss = "NONE"
        self.layout.popover("HUMAN3R_PT_presets", icon="PRESET", text="")

    def draw(self, context: bpy.types.Context) -> None:
        settings, run, characters = context.scene.human3r, sessions.current(), characters_across(context)
        active = run if run is not None and run.is_active else None
        column = self.layout.column()
        column.enabled = active is None
        row = column.row(align=True)
        row.prop(settings, "source", text="", placeholder=tr("Footage"))
        row.operator("human3r.choose_video", text="", icon="FILEBROWSER")
        draw_strip_button(row, context)
        if active is not None:
            row = self.layout.row()
            row.enabled = not active.is_canceling
            row.operator("human3r.cancel_capture", text=CANCEL[active.is_canceling], icon="CANCEL")
        else:
            said = run.error.message if run is not None and run.error is not None else ""
            draw_start(self.layout, settings, characters, said)
            draw_resume(self.layout, context)
        if run is not None:
            draw_run(self.layout, run, characters)
        if active is None:
            draw_status(self.layout, settings, characters)


def draw_start(layout: bpy.types.UILayout, settings: Human3RSettings, characters: int, said: str) -> None:
    """The chosen footage, how thoroughly, and the buttons; `said` is the error that is drawn below them."""
    if settings.source and probe.facts().engine.state == "ready":
        draw_clip(layout, settings, characters, said)
    if honesty.is_built_in(settings):
        layout.row(align=True).prop(settings, "quality", expand=True)
    row = layout.row(align=True)
    row.scale_y = 1.4
    row.operator("human3r.start_capture", icon="PLAY")
    row.operator("human3r.preview_capture", icon="HIDE_OFF")
    row.operator("human3r.import_take", text="", icon="IMPORT")


def draw_status(layout: bpy.types.UILayout, settings: Human3RSettings, characters: int) -> None:
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
    body = Sentence(BODIES[facts.body])
    row.label(text=tr("{model}, {body}", model=model_used(settings), body=body), translate=False)
    row.operator("human3r.show_preferences", text="", icon="PREFERENCES")
    honesty.draw_before(layout, settings, characters)


BODIES = {
    "mannequin": "mannequin",
    "installed": "SMPL-X",
    "chosen": "your own body",
    "absent": "body file missing",
}
CANCEL = {False: "Cancel", True: "Canceling"}


def model_used(settings: Human3RSettings) -> str:
    """The model in a word or two."""
    released = settings.released_weights()
    if released is not None:
        said = "Human3R {name}" if released.installed else "Human3R {name} (missing)"
        return Sentence(said, name=released.item.name)
    if settings.model_source == "CHECKPOINT":
        return Path(settings.checkpoint).name or Sentence("No checkpoint")
    return Sentence("Recipe weights" if settings.model_source == "RECIPE" else "Built-in model")


CLASSES = (HUMAN3R_PT_capture,)
