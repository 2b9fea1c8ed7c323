# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage out of the video editor: a movie or image strip says which file is meant, and which part of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import bpy
from bpy.props import EnumProperty

from ...engine.contract.errors import UserError
from ...engine.contract.media import image_sequence
from ...engine.contract.sentences import Sentence
from ..blender import busy
from ..blender.operators import refuse, say
from ..blender.paths import absolute
from ..blender.text import tr
from ..scene.found_footage import footage_of

_KINDS = ("MOVIE", "IMAGE")
_WHOLE = 1e-3
"""Frames. Positions are float32 and come out of divisions."""
_shown: list[tuple[str, str, str]] = []
"""Blender does not keep the texts of a menu that is made on the fly; whoever makes it has to."""


@dataclass(frozen=True)
class Part:
    """What a strip shows."""

    source: Path
    start: int
    """First frame of the footage, from 0."""
    end: int
    """The frame to stop before; 0 for the end of the footage."""
    frame_rate: float
    """Frames per second of images; 0 for a video, which knows its own."""


def strips_of(context: bpy.types.Context) -> list[bpy.types.Strip]:
    """The movie and image strips of the video editor, those that are selected first."""
    scene = getattr(context.workspace, "sequencer_scene", None) or context.scene
    editors = [item.sequence_editor for item in dict.fromkeys((context.scene, scene)) if item.sequence_editor]
    found = [strip for editor in editors for strip in _all(editor) if strip.type in _KINDS]
    return sorted(found, key=lambda strip: not strip.select)


def _all(editor: bpy.types.SequenceEditor) -> list[bpy.types.Strip]:
    """All strips, within meta strips too; until 4.4 they were called sequences."""
    return list(editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all)


def part_of(strip: bpy.types.Strip, rate: float) -> Part:
    """What a strip shows; `rate` is the scene's frames per second. Raises UserError (``strip-unusable``)."""
    return _of_movie(strip) if strip.type == "MOVIE" else _of_images(strip, rate)


def _of_movie(strip: bpy.types.Strip) -> Part:
    path = Path(absolute(strip.filepath))
    total = _length(path, strip.name)
    trimmed = total - strip.animation_offset_start - strip.animation_offset_end
    shown = float(strip.frame_final_duration)
    before, after = float(strip.frame_offset_start), float(strip.frame_offset_end)
    each = trimmed / max(1.0, before + shown + after)  # frames of the video for one of the scene
    start = strip.animation_offset_start + before * each
    end = start + shown * each
    first = max(0, math.floor(start + _WHOLE))
    last = min(total, math.ceil(end - _WHOLE))
    if first >= last:
        raise _unusable(strip.name, "it shows nothing of its file")
    return Part(path, first, last if last < total else 0, 0.0)


def _length(path: Path, name: str) -> int:
    """Frames of a video. Raises UserError where Blender cannot read it."""
    known = set(bpy.data.movieclips)
    try:
        clip = bpy.data.movieclips.load(str(path), check_existing=True)
    except RuntimeError:
        raise _unusable(name, "its file cannot be read") from None
    frames = int(clip.frame_duration)
    if clip not in known:
        bpy.data.movieclips.remove(clip)
    if frames <= 0:
        raise _unusable(name, "its file cannot be read")
    return frames


def _of_images(strip: bpy.types.Strip, rate: float) -> Part:
    folder = Path(absolute(strip.directory))
    paths = [folder / element.filename for element in strip.elements]
    first = max(0, math.floor(float(strip.frame_offset_start) + _WHOLE))
    shown = paths[first : first + max(1, int(strip.frame_final_duration))] if len(paths) > 1 else paths
    if not shown or not shown[0].is_file():
        raise _unusable(strip.name, "its images are not there")
    if len(paths) == 1:
        return Part(shown[0], 0, 0, rate)
    source = footage_of(shown[0])
    sequence = image_sequence(source)
    there = [] if sequence is None else list(sequence.paths)
    begin = there.index(shown[0]) if shown[0] in there else 0
    if sequence is None or there[begin : begin + len(shown)] != shown:
        raise _unusable(strip.name, "its images are not one sequence of numbers")
    end = begin + len(shown)
    return Part(source, sequence.numbers[begin], 0 if end == len(there) else sequence.numbers[end - 1] + 1, rate)


def _unusable(name: str, why: str) -> UserError:
    return UserError(
        "strip-unusable",
        "The strip {name} cannot be used: {why}.",
        "Choose another strip, or the file itself.",
        name=name,
        why=Sentence(why),
    )


def _items(operator: bpy.types.Operator, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    strips = strips_of(context) if context is not None else []
    _shown[:] = [(strip.name, strip.name, tr("The footage of the strip {name}", name=strip.name)) for strip in strips]
    return _shown


class HUMAN3R_OT_choose_strip(bpy.types.Operator):
    """Take the footage from the video editor: the file of a movie or image strip, and the part of it that the strip
    shows"""

    bl_idname = "human3r.choose_strip"
    bl_label = "From Video Editor"
    bl_options = {"REGISTER", "UNDO"}
    bl_property = "strip"

    strip: EnumProperty(
        name="Strip", items=_items, options={"SKIP_SAVE"}, description="Strip of the video editor to take it from"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not busy.nothing_runs(cls):
            return False
        if not strips_of(context):
            cls.poll_message_set(tr("There is no movie or image strip in the video editor"))
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.properties.is_property_set("strip") or len(strips_of(context)) == 1:
            return self.execute(context)
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        strip = next(strip for strip in strips_of(context) if strip.name == self.strip)
        scene, settings = strip.id_data, context.scene.human3r
        try:
            part = part_of(strip, scene.render.fps / scene.render.fps_base)
        except UserError as error:
            return refuse(self, error)
        settings.source, settings.start, settings.end = str(part.source), part.start, part.end
        settings.frame_rate = part.frame_rate
        say(self, "INFO", "Footage: {name}, from frame {start} on.", name=part.source.name, start=part.start)
        return {"FINISHED"}


def draw_button(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The button, where the video editor has something."""
    if strips_of(context):
        layout.operator(HUMAN3R_OT_choose_strip.bl_idname, text="", icon="SEQUENCE")


CLASSES = (HUMAN3R_OT_choose_strip,)
