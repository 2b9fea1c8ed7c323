# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel *Capture* says of the chosen footage: its first frame, length, size and rate, and a run's time."""

import bpy

from ...engine.contract.errors import UserError
from ..blender.paths import absolute
from ..blender.progress import format_duration
from ..blender.text import draw_text, tr
from . import footage_facts, pace, thumbnails
from .footage_facts import FootageFacts
from .properties import Human3RSettings

IMAGE_SHARE = 0.4
"""Of the panel's width, for the image."""
IMAGE_SCALE = 4.6
"""In heights of a button."""


def draw_clip(layout: bpy.types.UILayout, settings: Human3RSettings, characters: int, said: str) -> None:
    """The chosen footage, as far as is known; `said` is the error that is drawn already."""
    source = absolute(settings.source)
    facts = footage_facts.of(source)
    if not footage_facts.may_open(source):
        layout.label(text="On another computer", icon="INFO")
    elif facts is None:
        layout.label(text="Reading the footage...", icon="SORTTIME")
    elif facts.error is not None and facts.error.message == said:
        return
    elif facts.error is not None:
        column = layout.column(align=True)
        column.alert = True
        draw_text(column, facts.error.message, characters, icon="ERROR")
    else:
        _draw_facts(layout, settings, facts)


def _draw_facts(layout: bpy.types.UILayout, settings: Human3RSettings, facts: FootageFacts) -> None:
    column = layout
    if facts.image is not None:
        split = layout.split(factor=IMAGE_SHARE)
        split.template_icon(icon_value=thumbnails.icon("footage", facts.image), scale=IMAGE_SCALE)
        column = split.column(align=True)
    for line in described(facts):
        column.label(text=line, translate=False)
    seconds = estimated_seconds(settings, facts)
    if seconds is not None:
        column.label(text=tr("Takes about {time}", time=roughly(seconds)), translate=False)


def described(facts: FootageFacts) -> list[str]:
    """Length, size and rate in the user's language."""
    rate, size = f"{facts.frame_rate:.5g}", tr("{width} x {height}", width=facts.width, height=facts.height)
    length = []
    if facts.frames is not None:
        time = format_duration(facts.frames / facts.frame_rate)
        length = [tr("{time} ({count} frames)", time=time, count=facts.frames)]
    return [*length, size, tr("{rate} fps", rate=rate)]


def estimated_seconds(settings: Human3RSettings, facts: FootageFacts) -> float | None:
    """How long a capture will take; None where nobody knows."""
    frames = facts.frames_of(settings.start, settings.end or None, settings.stride)
    try:
        model = settings.model()
    except UserError:
        return None
    rate = pace.frames_per_second(pace.kind(model, settings))
    return frames / rate if frames and rate else None


def roughly(seconds: float) -> str:
    """A duration without more digits than an estimate has."""
    if seconds < 60:
        return "1 min"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60 // 5 * 5} min"
