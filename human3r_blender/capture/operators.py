# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel's buttons and the File menu do."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from ...engine.contract.errors import UserError
from ..blender import busy
from ..blender.operators import refuse, say
from ..blender.paths import absolute
from ..blender.redaction import redact
from ..blender.text import tr
from ..setup import choices
from . import footage_facts, preview_run, recent_takes, second_take, take_place, timer
from . import session as sessions
from .error_report import error_report
from .layout import draw_import_options, draw_start

HEADLESS_SLICE_S = 1.0

MEGABYTES_OF_PERSON = 3
"""Memory that a person of few frames takes in Blender, with the mannequin."""


class _CaptureOperator(bpy.types.Operator):
    """What beginning a capture and a quick look share."""

    bl_options = {"REGISTER", "UNDO"}
    is_preview = False

    placement: second_take.placement_property()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _may_start(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return _start(self, context, self.is_preview)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return second_take.ask(self, context, absolute(context.scene.human3r.source))

    def draw(self, context: bpy.types.Context) -> None:
        second_take.draw_choice(self.layout, self, context)


class HUMAN3R_OT_start_capture(_CaptureOperator):
    """Run the model on the footage. People, camera and scene points appear as it goes"""

    bl_idname = "human3r.start_capture"
    bl_label = "Start"


class HUMAN3R_OT_preview_capture(_CaptureOperator):
    """Take a quick look first: a few frames each second at low quality, without the final pass. Start replaces it"""

    bl_idname = "human3r.preview_capture"
    bl_label = "Preview"
    is_preview = True


def _may_start(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not busy.nothing_runs(operator):
        return False
    if not context.scene.human3r.source:
        operator.poll_message_set(tr("Choose the footage first"))
        return False
    return True


def _start(operator: bpy.types.Operator, context: bpy.types.Context, is_preview: bool) -> set[str]:
    """Begin a capture of the chosen footage."""
    settings = context.scene.human3r
    try:
        wanted, options = settings.capture_settings(), settings.import_options()
        if is_preview:
            facts = footage_facts.of(wanted.source)
            wanted = preview_run.preview_of(wanted, facts.frame_rate if facts is not None else None)
        python = choices.read().engine_python
        run = second_take.begin(
            operator.placement,
            context,
            Path(wanted.source).stem,
            lambda scene, replaces: sessions.start_capture(
                scene, wanted, options, python, is_preview=is_preview, replaces=replaces
            ),
        )
    except UserError as error:
        return refuse(operator, error)
    footage_facts.forget(wanted.source)  # the file may be another by now
    return go_on(operator, run)


class HUMAN3R_OT_cancel_capture(bpy.types.Operator):
    """Stop the capture or import. What has arrived stays in the scene, and the take stays on disk"""

    bl_idname = "human3r.cancel_capture"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        run = sessions.current()
        if run is None or not run.is_active:
            cls.poll_message_set(tr("No capture or import is in progress"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        run = sessions.current()
        if run is not None:
            run.cancel()
        return {"FINISHED"}


class HUMAN3R_OT_import_take(bpy.types.Operator, ImportHelper):
    """Import people, camera and scene points from a take (.h3r). Does not need the engine"""

    bl_idname = "human3r.import_take"
    bl_label = "Import Human3R Take"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".h3r"
    filter_glob: StringProperty(default="*.h3r", options={"HIDDEN"})
    filepath: StringProperty(
        name="Take", subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"}, description="File of the take (.h3r)"
    )
    placement: second_take.placement_property()

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return tr("Import the take {path}", path=properties.filepath) if properties.filepath else ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return busy.nothing_runs(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:  # dropped onto the window, or from the list of recent takes
            return second_take.ask(self, context, absolute(self.filepath))
        self.filepath = take_place.browsed_first(context.scene.human3r.source)
        return ImportHelper.invoke(self, context, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            take, options = Path(absolute(self.filepath)), context.scene.human3r.import_options()
            run = second_take.begin(
                self.placement,
                context,
                take.stem,
                lambda scene, replaces: sessions.start_import(scene, take, options, replaces),
            )
        except UserError as error:
            return refuse(self, error)
        return go_on(self, run)

    def draw(self, context: bpy.types.Context) -> None:
        second_take.draw_choice(self.layout, self, context)
        draw_start(self.layout, context.scene.human3r)
        draw_import_options(self.layout, context.scene.human3r)


class HUMAN3R_OT_import_all(bpy.types.Operator):
    """Import the take once more with everybody in it, in place of the people who are there. Each person takes about
    three megabytes of memory"""

    bl_idname = "human3r.import_all"
    bl_label = "Import All People"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not busy.nothing_runs(cls):
            return False
        run = sessions.current()
        if run is None or not run.may_ask_for_all or run.scene is None:
            cls.poll_message_set(tr("Everybody in the take was brought in"))
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        run = sessions.current()
        assert run is not None, "poll asked"
        template = (
            "Import all {count} people? They need about {size} GB of memory. Changes to those who are there are lost."
        )
        size = round(MEGABYTES_OF_PERSON * run.people_count / 1000, 1)
        message = tr(template, count=run.people_count, size=size)
        return context.window_manager.invoke_confirm(self, event, message=message)

    def execute(self, context: bpy.types.Context) -> set[str]:
        before = sessions.current()
        assert before is not None, "poll asked"
        try:
            return go_on(self, sessions.import_all(before))
        except UserError as error:
            return refuse(self, error)


class HUMAN3R_OT_choose_video(bpy.types.Operator, ImportHelper):
    """Choose a video, or one image of an image sequence"""

    bl_idname = "human3r.choose_video"
    bl_label = "Choose Footage"
    bl_options = {"REGISTER", "UNDO"}

    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)
        chosen = path.parent if path.suffix.lower() in bpy.path.extensions_image and path.is_file() else path
        context.scene.human3r.source = str(chosen)
        return {"FINISHED"}


class HUMAN3R_OT_copy_error(bpy.types.Operator):
    """Copy everything known about this error to the clipboard, to report it"""

    bl_idname = "human3r.copy_error"
    bl_label = "Copy Error Report"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return sessions.current() is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        run = sessions.current()
        context.window_manager.clipboard = redact(error_report(run)) if run is not None else ""
        say(self, "INFO", "Error report copied to the clipboard.")
        return {"FINISHED"}


class HUMAN3R_FH_take(bpy.types.FileHandler):
    """Takes may be dropped onto the 3D viewport."""

    bl_idname = "HUMAN3R_FH_take"
    bl_label = "Human3R Take"
    bl_import_operator = "human3r.import_take"
    bl_file_extensions = ".h3r"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type in ("VIEW_3D", "OUTLINER")


def go_on(operator: bpy.types.Operator, run: sessions.Session) -> set[str]:
    """In a window let the timer do the work; in background mode, where timers never fire, do it now."""
    if not bpy.app.background:
        timer.run_session(run)
        return {"FINISHED"}
    while run.pump_messages(HEADLESS_SLICE_S, wait_s=0.1):
        pass
    recent_takes.note_run(run)
    if run.error is not None:
        return refuse(operator, run.error)
    for note in run.notes:
        say(operator, "WARNING", note)
    return {"FINISHED"}


def _draw_import_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(HUMAN3R_OT_import_take.bl_idname, text="Human3R Take (.h3r)")


CLASSES = (
    HUMAN3R_OT_start_capture,
    HUMAN3R_OT_preview_capture,
    HUMAN3R_OT_cancel_capture,
    HUMAN3R_OT_import_take,
    HUMAN3R_OT_import_all,
    HUMAN3R_OT_choose_video,
    HUMAN3R_OT_copy_error,
    HUMAN3R_FH_take,
)
MENU_ENTRIES = (("TOPBAR_MT_file_import", _draw_import_menu),)
