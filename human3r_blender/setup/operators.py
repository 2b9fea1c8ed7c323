# SPDX-License-Identifier: GPL-3.0-or-later
"""The preferences' smaller buttons: choices, the running task, folders, reports."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from ...engine.installed import locations
from ..blender.data_folder import ADDON_ID
from ..blender.operators import say
from . import choices, probe, tasks


class HUMAN3R_OT_choose_python(bpy.types.Operator, ImportHelper):
    """Use a Python that already has the engine's packages (torch, opencv) instead of installing them"""

    bl_idname = "human3r.choose_python"
    bl_label = "Choose Python"

    filter_glob: StringProperty(default="*", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)
        if not path.is_file():
            say(
                self,
                "ERROR",
                "{path} is not a file. Choose the python program itself, in the environment's bin folder "
                "(Scripts on Windows).",
                path=path,
            )
            return {"CANCELLED"}
        choices.read().engine_python = str(path)
        return _changed(context)


class HUMAN3R_OT_clear_python(bpy.types.Operator):
    """Use the engine that this add-on installs"""

    bl_idname = "human3r.clear_python"
    bl_label = "Use the Add-on's Engine"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(choices.read().engine_python)

    def execute(self, context: bpy.types.Context) -> set[str]:
        choices.read().engine_python = ""
        return _changed(context)


class HUMAN3R_OT_clear_body_file(bpy.types.Operator):
    """Use the installed SMPL-X body, or else the mannequin, instead of the chosen file"""

    bl_idname = "human3r.clear_body_file"
    bl_label = "Clear Body File"

    def execute(self, context: bpy.types.Context) -> set[str]:
        choices.read().body_file = ""
        return _changed(context)


class HUMAN3R_OT_cancel_task(bpy.types.Operator):
    """Stop the download or installation. What was installed before is kept, and the next try resumes from here"""

    bl_idname = "human3r.cancel_task"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        task = tasks.current()
        return task is not None and task.is_active and not task.is_cancelling

    def execute(self, context: bpy.types.Context) -> set[str]:
        task = tasks.current()
        if task is not None:
            task.cancel()
        return {"FINISHED"}


class HUMAN3R_OT_dismiss_task(bpy.types.Operator):
    """Dismiss this message"""

    bl_idname = "human3r.dismiss_task"
    bl_label = "Dismiss"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return tasks.current() is not None and not tasks.is_busy()

    def execute(self, context: bpy.types.Context) -> set[str]:
        tasks.dismiss()
        return {"FINISHED"}


class HUMAN3R_OT_allow_online(bpy.types.Operator):
    """Open Blender's preferences at System > Network > Allow Online Access"""

    bl_idname = "human3r.allow_online"
    bl_label = "Open System Preferences"

    def execute(self, context: bpy.types.Context) -> set[str]:
        if bpy.app.background:
            say(self, "ERROR", "Start Blender with --online-mode to allow online access.")
            return {"CANCELLED"}
        return bpy.ops.screen.userpref_show("INVOKE_DEFAULT", section="SYSTEM")


class HUMAN3R_OT_show_preferences(bpy.types.Operator):
    """Open Preferences > Add-ons > Human3R, which shows what is installed, what is missing and the next step"""

    bl_idname = "human3r.show_preferences"
    bl_label = "Open Preferences"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not bpy.app.background

    def execute(self, context: bpy.types.Context) -> set[str]:
        return bpy.ops.preferences.addon_show(module=ADDON_ID)


class HUMAN3R_OT_open_data_folder(bpy.types.Operator):
    """Open the folder with the engine, the weights and the body"""

    bl_idname = "human3r.open_data_folder"
    bl_label = "Open Data Folder"

    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = locations.data_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            say(self, "ERROR", "The folder {folder} cannot be created: {reason}.", folder=folder, reason=error.strerror)
            return {"CANCELLED"}
        return bpy.ops.wm.path_open(filepath=str(folder))


def _changed(context: bpy.types.Context) -> set[str]:
    """The preferences count from now on, and are saved where Blender saves them by itself."""
    context.preferences.is_dirty = True
    probe.forget()
    return {"FINISHED"}


CLASSES = (
    HUMAN3R_OT_choose_python,
    HUMAN3R_OT_clear_python,
    HUMAN3R_OT_clear_body_file,
    HUMAN3R_OT_cancel_task,
    HUMAN3R_OT_dismiss_task,
    HUMAN3R_OT_allow_online,
    HUMAN3R_OT_show_preferences,
    HUMAN3R_OT_open_data_folder,
)
