# SPDX-License-Identifier: GPL-3.0-or-later
"""The preferences page: rows at a glance, the one next step, and the rest in boxes that open on a click."""

from __future__ import annotations

import bpy

from ...engine.contract.sentences import Sentence
from ...engine.installed import inventory
from ..blender.progress import format_bytes
from ..blender.text import characters_across, draw_text, tr, translated
from . import install_operators, overview, probe, reloading, tasks
from .background_task import Task
from .overview import Facts, Overview, Step

ICONS = {
    overview.OK: "CHECKMARK",
    overview.OPTIONAL: "INFO",
    overview.MISSING: "RADIOBUT_OFF",
    overview.PROBLEM: "ERROR",
}
NAME_SHARE = 0.17
"""Of a row's width, for what it is about."""
STEP_SCALE = 1.5
ALLOW_ONLINE = "human3r.allow_online"


def draw(layout: bpy.types.UILayout, settings: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    """The whole page."""
    facts = probe.facts()
    view = overview.overview(facts)
    characters = characters_across(context)
    draw_overview(layout, view, characters)
    task = tasks.current()
    if task is not None:
        draw_task(layout, task, characters)
    if task is None or not task.is_active:
        draw_step(layout, view.step, characters)
    for name, title, draw_box in (
        ("show_engine", "Engine", _draw_engine),
        ("show_model", "Model", _draw_model),
        ("show_body", "Body", _draw_body),
        ("show_help", "Help", _draw_help),
    ):
        is_open = getattr(settings, name)
        box = layout.box()
        row = box.row()
        row.alignment = "LEFT"
        row.prop(settings, name, text=title, icon="DOWNARROW_HLT" if is_open else "RIGHTARROW", emboss=False)
        if is_open:
            draw_box(box, settings, facts, characters)
    layout.prop(settings, "take_folder", placeholder=tr("Beside the .blend file or the footage"))


def draw_overview(layout: bpy.types.UILayout, view: Overview, characters: int) -> None:
    """One row for each thing: an icon, what it is, how it is."""
    column = layout.column()
    for row in view.rows:
        split = column.split(factor=NAME_SHARE)
        split.label(text=row.what, icon=ICONS[row.mark])
        draw_text(split.column(align=True), row.detail, int(characters * (1 - NAME_SHARE)))


def draw_step(layout: bpy.types.UILayout, step: Step, characters: int) -> None:
    """What to do now, with a button as large as its importance."""
    box = layout.box()
    column = box.column(align=True)
    draw_text(column, step.sentence, characters, icon="FORWARD" if step.operator else "CHECKMARK")
    if step.operator == ALLOW_ONLINE:
        _draw_online_access(box)
    elif step.operator:
        row = box.row()
        row.scale_y = STEP_SCALE
        button = row.operator(step.operator, text=translated(step.label), translate=False)
        if step.name:
            button.name = step.name


def draw_task(layout: bpy.types.UILayout, task: Task, characters: int) -> None:
    """How far the running task is; or how the last one ended."""
    box = layout.box()
    column = box.column(align=True)
    if task.is_active:
        column.label(text=translated(task.title), icon="SORTTIME", translate=False)
        row = box.row(align=True)
        bar = row.row()
        bar.progress(factor=task.fraction or 0.0, text="" if task.fraction is None else f"{task.fraction:.0%}")
        row.operator("human3r.cancel_task", text="", icon="CANCEL")
        draw_text(box.column(align=True), task.text or "Starting", characters)
    elif task.error is not None:
        column.alert = True
        failure = Sentence("{title} failed. {message}", title=Sentence(task.title), message=task.error.message)
        draw_text(column, failure, characters, icon="ERROR")
        draw_text(box.column(align=True), task.error.remedy, characters, icon="BLANK1")
        row = box.row()
        row.operator("human3r.copy_diagnostics", text="Copy Report", icon="COPYDOWN")
        row.operator("human3r.dismiss_task", icon="X")
    else:
        row = box.row()
        ended = task.canceled if task.state == "cancelled" else "{title}: done."
        row.label(text=tr(ended, title=Sentence(task.title)), icon="CHECKMARK" if task.state == "done" else "INFO")
        row.operator("human3r.dismiss_task", text="", icon="X", emboss=False)


def _draw_engine(box: bpy.types.UILayout, settings: bpy.types.AddonPreferences, facts: Facts, characters: int) -> None:
    engine = facts.engine
    column = box.column()
    draw_text(
        column, "The engine runs the model. Its Python packages are in a separate folder from Blender's.", characters
    )
    row = column.row(align=True)
    row.enabled = engine.origin == "own"
    installed = engine.state in ("ready", "outdated", "broken")
    if not installed:
        row.operator("human3r.install_engine", text="Install", icon="IMPORT")
    else:
        row.operator("human3r.repair_engine", text="Repair", icon="TOOL_SETTINGS")
        row.operator("human3r.update_engine", text="Update", icon="FILE_REFRESH")
        row.operator("human3r.remove_engine", text="Remove", icon="TRASH")
    column.operator("human3r.self_test", icon="PLAY")
    fields = box.column()
    fields.use_property_split = True
    fields.prop(settings, "engine_build")
    row = fields.row(align=True)
    row.prop(settings, "engine_python")
    if settings.engine_python:
        row.operator("human3r.clear_python", text="", icon="X")
    elif engine.origin == "environment":
        draw_text(
            box.column(align=True),
            Sentence("Python set by an environment variable: {path}", path=engine.detail),
            characters,
            icon="INFO",
        )
    _draw_offline(box, facts, characters)


def _draw_model(box: bpy.types.UILayout, settings: bpy.types.AddonPreferences, facts: Facts, characters: int) -> None:
    draw_text(
        box.column(align=True),
        "The built-in model (landmarks) needs no download. The released Human3R weights, for NON-COMMERCIAL USE ONLY, "
        "would add the camera's motion and dense points as Human3R predicts them.",
        characters,
        icon="INFO",
    )
    column = box.column(align=True)
    is_measured = facts.engine.self_test == "passed"  # before that nobody knows what this machine can do
    for status in probe.weights():
        _draw_item(column, status, "human3r.get_weights", is_measured and status.item.name == facts.model.recommended)
    row = box.row(align=True)
    row.operator(
        "human3r.import_data", text="Import Weights from File", icon="FILEBROWSER"
    ).filter_glob = install_operators.WEIGHTS_FILES
    row.operator("human3r.verify_data", text="Verify Files", icon="VIEWZOOM")
    _draw_offline(box, facts, characters)


def _draw_body(box: bpy.types.UILayout, settings: bpy.types.AddonPreferences, facts: Facts, characters: int) -> None:
    draw_text(
        box.column(align=True),
        "The bundled mannequin is free for any use. SMPL-X shows people's actual shape, but is for NON-COMMERCIAL USE "
        "ONLY and needs a free account with its publisher.",
        characters,
        icon="INFO",
    )
    _draw_item(box.column(align=True), probe.body(), "human3r.get_body", False)
    box.operator(
        "human3r.import_data", text="Import SMPL-X from File", icon="FILEBROWSER"
    ).filter_glob = install_operators.BODY_FILES
    fields = box.column()
    fields.use_property_split = True
    fields.prop(settings, "body_file")
    _draw_offline(box, facts, characters)


def _draw_help(box: bpy.types.UILayout, settings: bpy.types.AddonPreferences, facts: Facts, characters: int) -> None:
    draw_text(
        box.column(align=True),
        "The report lists versions, devices, what is installed, the last error and the last lines of the logs. User "
        "names, home folders and logins are removed.",
        characters,
    )
    row = box.row(align=True)
    row.operator("human3r.copy_diagnostics", icon="COPYDOWN")
    row.operator("human3r.open_data_folder", icon="FILE_FOLDER")
    if reloading.is_developer(bpy.context):
        row.operator("human3r.reload", icon="FILE_REFRESH")


def _draw_item(column: bpy.types.UILayout, status: inventory.Status, operator: str, is_recommended: bool) -> None:
    """One row for weights or a body: whether they are here, how large, and the button that changes that."""
    item = status.item
    row = column.row(align=True)
    size = status.bytes if status.installed else item.size or item.about_bytes
    words = [tr(item.title.removeprefix("Human3R, "))]
    words += [format_bytes(size)] if size else []
    words += [status.precision] if status.precision else []
    if status.unfinished_bytes and not status.installed:
        words.append(tr("{size} downloaded so far", size=format_bytes(status.unfinished_bytes)))
    if is_recommended and not status.installed:
        words.append(tr("recommended"))
    row.label(
        text=f"{item.name}: {', '.join(words)}", icon=ICONS[overview.OK if status.installed else overview.MISSING]
    )
    button = row.row()
    button.alignment = "RIGHT"
    if status.installed:
        button.operator("human3r.remove_data", text="Remove", icon="TRASH").name = item.name
    else:
        got = button.operator(operator, text="Get", icon="IMPORT")
        if item.kind == "weights":
            got.name = item.name


def _draw_offline(box: bpy.types.UILayout, facts: Facts, characters: int) -> None:
    """Why the buttons for downloads are grayed out, and how to change that."""
    if facts.is_online:
        return
    if facts.is_online_locked:
        draw_text(
            box.column(align=True),
            "Blender was started in offline mode, so nothing can be downloaded.",
            characters,
            icon="INTERNET_OFFLINE",
        )
    else:
        box.label(text="Nothing can be downloaded: online access is off.", icon="INTERNET_OFFLINE")
        _draw_online_access(box)


def _draw_online_access(layout: bpy.types.UILayout) -> None:
    """Blender's own switch, which is on another page of the preferences."""
    layout.prop(bpy.context.preferences.system, "use_online_access", text="Allow Online Access")
