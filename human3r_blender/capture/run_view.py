# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel *Capture* says of a run: how far it is, or how it ended, and what is known of the camera."""

import bpy

from ...engine.contract.errors import UserError
from ...engine.contract.messages import FOCAL_SOURCES, FocalLength
from ...engine.contract.sentences import Sentence
from ..blender.text import draw_text, translated
from . import honesty, thumbnails
from . import session as sessions

IMAGE_SCALE = 7.0
"""In heights of a button."""


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
    if run.is_active:
        _draw_progress(layout, run, characters)
    elif run.error is not None:
        _draw_error(layout, run.error, characters)
    else:
        _draw_end(layout.column(align=True), run, characters)
    if run.error is None:
        draw_camera(layout.column(align=True), run, characters)
    if not run.is_active:
        honesty.draw_after(layout, run.header, characters)


def _draw_progress(layout: bpy.types.UILayout, run: sessions.Session, characters: int) -> None:
    """A frame with what was found, the bar, and what is being done in two lines."""
    progress, column = run.progress, layout.column(align=True)
    if run.image is not None and not run.is_rebuilding:
        column.template_icon(icon_value=thumbnails.icon("run", run.image), scale=IMAGE_SCALE)
    is_known = progress.frames_total or progress.share is not None
    column.progress(factor=progress.fraction, text=f"{progress.fraction:.0%}" if is_known else "")
    for line in said_of(run):
        draw_text(column, line, characters)


def said_of(run: sessions.Session) -> list[str]:
    """What a run is doing: the count of frames and people, and the pace, or the words for everything else."""
    progress = run.progress
    _, *pace = progress.parts()
    frames = [_counted(run)] if progress.frames_done else []
    if run.is_canceling:
        return [*frames, Sentence("Canceling")]
    if run.is_rebuilding:
        return [*frames, Sentence("Rebuilding")]
    if progress.phase == "running" and frames:
        return [*frames, ", ".join(map(translated, pace))]
    return [*frames, progress.text or Sentence("Finishing" if frames else "Starting")]


def _counted(run: sessions.Session) -> Sentence:
    """How much there is so far."""
    frames = run.progress.parts()[0]
    if run.people_count == 1:
        return Sentence("{frames}, 1 person", frames=frames)
    return Sentence("{frames}, {people} people", frames=frames, people=run.people_count)


def _draw_error(layout: bpy.types.UILayout, error: UserError, characters: int) -> None:
    box = layout.box().column(align=True)
    box.alert = True
    draw_text(box, error.message, characters - 3, icon="ERROR")
    box.alert = False
    box.separator()
    draw_text(box, error.remedy, characters - 3)
    box.separator()
    box.operator("human3r.copy_error", icon="COPYDOWN")


def _draw_end(column: bpy.types.UILayout, run: sessions.Session, characters: int) -> None:
    progress = run.progress
    icon = "CHECKMARK" if progress.phase == "complete" else "INFO"
    ended = {"complete": "Done: {progress}", "cancelled": "Canceled: {progress}"}
    if run.is_preview:
        ended |= {"complete": "Preview: {progress}. Start replaces it."}
    text = Sentence(ended.get(progress.phase, "Incomplete: {progress}"), progress=_counted(run))
    draw_text(column, text, characters, icon=icon)
    for note in run.notes:
        draw_text(column, note, characters)
    if run.may_ask_for_all:
        column.operator("human3r.import_all")
