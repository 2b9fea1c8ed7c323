# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel's buttons and the File menu do."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from ..engine.contract.body_choice import body_file
from ..engine.contract.body_model import BodyModel
from ..engine.contract.errors import UserError
from . import live, preferences
from . import session as sessions
from .redaction import redact
from .scene import pose_correctives, tags

HEADLESS_SLICE_S = 1.0


class HUMAN3R_OT_start_capture(bpy.types.Operator):
    """Run the model on the video; people, camera and place appear while it runs"""

    bl_idname = "human3r.start_capture"
    bl_label = "Start"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _nothing_runs(cls):
            return False
        if not context.scene.human3r.source:
            cls.poll_message_set("Choose a video first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.human3r
        try:
            run = sessions.start_capture(context.scene, settings.capture_settings(), settings.import_options(),
                                         preferences.read().engine_python)
        except UserError as error:
            return _refuse(self, error)
        return _go_on(self, run)


class HUMAN3R_OT_cancel_capture(bpy.types.Operator):
    """Stop the run: what has arrived stays in the scene, and the take stays on disk"""

    bl_idname = "human3r.cancel_capture"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        run = sessions.current()
        if run is None or not run.is_active:
            cls.poll_message_set("Nothing runs")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        run = sessions.current()
        if run is not None:
            run.cancel()
        return {"FINISHED"}


class HUMAN3R_OT_import_take(bpy.types.Operator, ImportHelper):
    """Import people, camera and place from a take (.h3r); needs no engine"""

    bl_idname = "human3r.import_take"
    bl_label = "Import Human3R Take"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".h3r"
    filter_glob: StringProperty(default="*.h3r", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _nothing_runs(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:  # dropped onto the window
            return self.execute(context)
        return ImportHelper.invoke(self, context, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            run = sessions.start_import(context.scene, Path(self.filepath), context.scene.human3r.import_options())
        except UserError as error:
            return _refuse(self, error)
        return _go_on(self, run)

    def draw(self, context: bpy.types.Context) -> None:
        from .panels import draw_import_options
        draw_import_options(self.layout, context.scene.human3r)


class HUMAN3R_OT_choose_video(bpy.types.Operator, ImportHelper):
    """Choose the video, or one picture of an image sequence"""

    bl_idname = "human3r.choose_video"
    bl_label = "Choose Video"
    bl_options = {"REGISTER", "UNDO"}

    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)
        chosen = path.parent if path.suffix.lower() in bpy.path.extensions_image and path.is_file() else path
        context.scene.human3r.source = str(chosen)
        return {"FINISHED"}


class HUMAN3R_OT_select_person(bpy.types.Operator):
    """Select this person's armature"""

    bl_idname = "human3r.select_person"
    bl_label = "Select Person"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(name="Person", description="Name of the person's armature", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        armature = context.scene.objects.get(self.name)
        if armature is None:
            self.report({"ERROR"}, f"{self.name} is not in this scene any more.")
            return {"CANCELLED"}
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for item in context.selected_objects:
            item.select_set(False)
        armature.select_set(True)
        context.view_layer.objects.active = armature
        return {"FINISHED"}


class HUMAN3R_OT_bake_correctives(bpy.types.Operator):
    """Give the selected people exact surfaces: pose correctives as shape keys. Run it again after editing the motion"""

    bl_idname = "human3r.bake_correctives"
    bl_label = "Bake Pose Correctives"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _nothing_runs(cls):
            return False
        if not _selected_people(context):
            cls.poll_message_set("Select the armature of a person that Human3R made")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        keys = 0
        for armature in _selected_people(context):
            take_id, track_id = armature[tags.TAKE], armature[tags.TRACK]
            mesh, root = tags.find(take_id, tags.MESH, track_id), tags.find(take_id, tags.ROOT)
            if mesh is None or root is None:
                self.report({"WARNING"}, f"{armature.name} has no mesh, or no root to say which body it was made with.")
                continue
            try:
                keys += pose_correctives.bake(armature, mesh, BodyModel.load(body_file(root[tags.BODY])))
            except UserError as error:
                return _refuse(self, error)
        self.report({"INFO"}, f"{keys} shape keys made.")
        return {"FINISHED"}


class HUMAN3R_OT_copy_error(bpy.types.Operator):
    """Copy everything known about this failure, to send it to somebody"""

    bl_idname = "human3r.copy_error"
    bl_label = "Copy Error Report"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return sessions.current() is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        run = sessions.current()
        context.window_manager.clipboard = redact(run.error_report()) if run is not None else ""
        self.report({"INFO"}, "The error report is in the clipboard.")
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


def _selected_people(context: bpy.types.Context) -> list[bpy.types.Object]:
    return [item for item in context.selected_objects if item.get(tags.ROLE) == tags.ARMATURE]


def _nothing_runs(operator: type[bpy.types.Operator]) -> bool:
    run = sessions.current()
    if run is not None and run.is_active:
        operator.poll_message_set("A run is in progress: wait for its end or cancel it")
        return False
    return True


def _refuse(operator: bpy.types.Operator, error: UserError) -> set[str]:
    operator.report({"ERROR"}, f"{error.message} {error.remedy}")
    return {"CANCELLED"}


def _go_on(operator: bpy.types.Operator, run: sessions.Session) -> set[str]:
    """In a window let the timer do the work; in background mode, where timers never fire, do it now."""
    if not bpy.app.background:
        live.run_session(run)
        return {"FINISHED"}
    while run.pump_messages(HEADLESS_SLICE_S, wait_s=0.1):
        pass
    if run.error is not None:
        return _refuse(operator, run.error)
    if run.note:
        operator.report({"WARNING"}, run.note)
    return {"FINISHED"}


def _draw_import_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(HUMAN3R_OT_import_take.bl_idname, text="Human3R Take (.h3r)")


CLASSES = (HUMAN3R_OT_start_capture, HUMAN3R_OT_cancel_capture, HUMAN3R_OT_import_take, HUMAN3R_OT_choose_video,
           HUMAN3R_OT_select_person, HUMAN3R_OT_bake_correctives, HUMAN3R_OT_copy_error, HUMAN3R_FH_take)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_import.append(_draw_import_menu)


def unregister() -> None:
    bpy.types.TOPBAR_MT_file_import.remove(_draw_import_menu)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
