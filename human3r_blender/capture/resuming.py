# SPDX-License-Identifier: GPL-3.0-or-later
"""An interrupted capture, in the panel: *Resume* goes on with it, *Start Over* begins it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy

from ...engine.contract.errors import UserError
from ...engine.contract.file_names import is_remote
from ...engine.contract.sentences import Sentence
from ...engine.contract.settings import CaptureSettings
from ...engine.contract.take import begun_settings, resume_path
from ..blender import busy, lookout, tags
from ..blender.operators import refuse
from ..blender.paths import absolute
from ..blender.text import characters_across, draw_text, tr
from ..scene import take_places, takes
from ..setup import choices
from . import session as sessions
from .operators import go_on
from .properties import Human3RSettings

_PATHS = ("source", "model", "body", "camera_file")
"""Settings that may be paths."""


def interrupted_take(context: bpy.types.Context) -> Path | None:
    """The take that can be gone on with: that of the last run, or the one of the scene that is chosen; else None."""
    run, root = sessions.current(), takes.root_of(context)
    known = [Path(run.take)] if run is not None else []
    if root is not None and (place := take_places.take_file(root)):
        known.append(place)
    return next((take for take in known if lookout.is_there(resume_path(take))), None)


class _OfInterrupted(bpy.types.Operator):
    """What both buttons share: there is a take to go on with, and what it has brought into the scene makes way."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not busy.nothing_runs(cls):
            return False
        if interrupted_take(context) is None:
            cls.poll_message_set(tr("No interrupted take: only a capture that was canceled or failed can go on"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        take, settings = interrupted_take(context), context.scene.human3r
        assert take is not None, "poll asked"
        try:
            wanted = self.wanted(take, settings)
            run = sessions.start_capture(
                context.scene,
                wanted,
                settings.import_options(),
                choices.read().engine_python,
                resume=self.resumes,
                replaces=_ids_of(take, context.scene),
            )
        except UserError as error:
            return refuse(self, error)
        return go_on(self, run)


class HUMAN3R_OT_resume_capture(_OfInterrupted):
    """Go on with the interrupted capture where it stopped, with the settings that it was begun with. The take is then
    the same as without the interruption"""

    bl_idname = "human3r.resume_capture"
    bl_label = "Resume"
    resumes = True

    def wanted(self, take: Path, settings: Human3RSettings) -> CaptureSettings:
        """The settings to go on with. Raises UserError."""
        return _begun(take, settings)


class HUMAN3R_OT_start_over(_OfInterrupted):
    """Begin the interrupted capture again from its first frame, with the settings as they are now. Its take is
    replaced"""

    bl_idname = "human3r.start_over"
    bl_label = "Start Over"
    resumes = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        take = interrupted_take(context)
        message = tr("Replace the interrupted take {name}? What it holds is lost.", name=take.name if take else "")
        return context.window_manager.invoke_confirm(self, event, message=message)

    def wanted(self, take: Path, settings: Human3RSettings) -> CaptureSettings:
        """The settings to begin again with: those of the panel where it has the same footage. Raises UserError."""
        begun = _begun(take, settings)
        same = begun.source == absolute(settings.source)
        return settings.capture_settings(again=take) if same else begun


def draw_resume(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The two buttons, where there is an interrupted take."""
    take = interrupted_take(context)
    if take is None:
        return
    column = layout.column(align=True)
    draw_text(column, Sentence("Interrupted: {name}", name=take.stem), characters_across(context), icon="PAUSE")
    row = column.row(align=True)
    row.operator(HUMAN3R_OT_resume_capture.bl_idname, icon="PLAY")
    row.operator(HUMAN3R_OT_start_over.bl_idname, icon="LOOP_BACK")


def _ids_of(take: Path, scene: bpy.types.Scene) -> set[str]:
    """Under which ids a scene has something of a take's file."""
    return {tags.text(root, tags.TAKE) for root in takes.roots_in(scene) if take_places.take_file(root) == take}


def _begun(take: Path, settings: Human3RSettings) -> CaptureSettings:
    """The settings that a take was begun with. Raises UserError (``other-computer``, and those of `begun_settings`).

    The take may be from anybody: a path on another computer is opened only where the panel names it, too.
    """
    begun = begun_settings(take)
    for name in _PATHS:
        path = getattr(begun, name)
        if is_remote(path) and path not in (absolute(settings.source), choices.chosen_body(), settings.checkpoint):
            raise UserError(
                "other-computer",
                "The take {take} was made with {path}, which is on another computer.",
                "If you trust the take, choose that file in the panel, too.",
                take=take.name,
                path=path,
            )
    return replace(begun, take=str(take))


CLASSES = (HUMAN3R_OT_resume_capture, HUMAN3R_OT_start_over)
