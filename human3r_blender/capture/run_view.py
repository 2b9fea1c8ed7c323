# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel *Capture* says of a run: how far it is, or how it ended, and what is known of the camera."""

import bpy

from ...engine.contract.messages import FOCAL_SOURCES, FocalLength
from ...engine.contract.sentences import Sentence
from ..blender.text import draw_text, translated
from . import session as sessions


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
