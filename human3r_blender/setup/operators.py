# SPDX-License-Identifier: GPL-3.0-or-later
"""The preferences' smaller buttons: choices, the running task, folders, reports."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from ...engine.installed import locations
from ..blender.data_folder import ADDON_ID
from . import choices, probe, tasks


class HUMAN3R_OT_choose_python(bpy.types.Operator, ImportHelper):
    """Use a Python that has the engine's packages already (torch, opencv), instead of installing them"""

    bl_idname = "human3r.choose_python"
    bl_label = "Choose Python"

    filter_glob: StringProperty(default="*", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)
        if not path.is_file():
            self.report(
                {"ERROR"},
                f"{path} is not a file: choose the python program itself, in the environment's "
                "folder bin (Scripts on Windows).",
            )
            return {"CANCELLED"}
        choices.read().engine_python = str(path)
        return _changed(context)


class HUMAN3R_OT_clear_python(bpy.types.Operator):
    """Use the Python that this add-on installs"""

    bl_idname = "human3r.clear_python"
    bl_label = "Use the Add-on's Own Engine"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(choices.read().engine_python)

    def execute(self, context: bpy.types.Context) -> set[str]:
        choices.read().engine_python = ""
        return _changed(context)


class HUMAN3R_OT_clear_body_file(bpy.types.Operator):
    """Use the installed SMPL-X body, or the mannequin without it, instead of the chosen file"""

    bl_idname = "human3r.clear_body_file"
    bl_label = "Forget the Body File"

    def execute(self, context: bpy.types.Context) -> set[str]:
        choices.read().body_file = ""
        return _changed(context)


class HUMAN3R_OT_cancel_task(bpy.types.Operator):
    """Stop what is being downloaded or installed. What was there before stays, and a later try goes on from here"""

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
    """Take this message away"""

    bl_idname = "human3r.dismiss_task"
    bl_label = "Dismiss"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return tasks.current() is not None and not tasks.is_busy()

    def execute(self, context: bpy.types.Context) -> set[str]:
        tasks.dismiss()
        return {"FINISHED"}


class HUMAN3R_OT_allow_online(bpy.types.Operator):
    """Show Blender's own setting: Preferences > System > Network > Allow Online Access"""

    bl_idname = "human3r.allow_online"
    bl_label = "Open System Preferences"

    def execute(self, context: bpy.types.Context) -> set[str]:
        if bpy.app.background:
            self.report({"ERROR"}, "Start Blender with --online-mode to allow online access.")
            return {"CANCELLED"}
        return bpy.ops.screen.userpref_show("INVOKE_DEFAULT", section="SYSTEM")


class HUMAN3R_OT_show_preferences(bpy.types.Operator):
    """Show what is installed, what is missing and the next step, in Preferences > Add-ons > Human3R"""

    bl_idname = "human3r.show_preferences"
    bl_label = "Open the Preferences"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not bpy.app.background

    def execute(self, context: bpy.types.Context) -> set[str]:
        return bpy.ops.preferences.addon_show(module=ADDON_ID)


class HUMAN3R_OT_open_data_folder(bpy.types.Operator):
    """Open the folder that holds the engine, the weights and the body"""

    bl_idname = "human3r.open_data_folder"
    bl_label = "Open the Data Folder"

    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = locations.data_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.report({"ERROR"}, f"{folder} cannot be made: {error.strerror}.")
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
