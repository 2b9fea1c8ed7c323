# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for every scene: where the engine's Python is, and which body file to use."""

from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..engine.contract.errors import UserError
from . import engine_check, engine_process

ADDON_ID = __package__.rpartition(".")[0]
"""The extension's package, under which Blender keeps its preferences."""


class Human3RPreferences(bpy.types.AddonPreferences):
    bl_idname = ADDON_ID

    engine_python: StringProperty(
        name="Engine's Python", subtype="FILE_PATH",
        description="The python program of the environment that has the engine's packages (torch, opencv). Empty: the "
                    f"environment variable {engine_process.PYTHON_VARIABLE}")
    body_file: StringProperty(
        name="Body File", subtype="FILE_PATH",
        description="An SMPL-X body file (.npz) that you have a licence for. Empty: the bundled, free mannequin")

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        column.prop(self, "engine_python")
        column.prop(self, "body_file")
        row = column.row()
        row.operator("human3r.check_engine", icon="CHECKMARK")
        box = column.column(align=True)
        for icon, text in self.findings():
            box.label(text=text, icon=icon)

    def findings(self) -> list[tuple[str, str]]:
        """(icon, sentence) of what is ready and what is missing."""
        found: list[tuple[str, str]] = []
        try:
            found.append(("CHECKMARK", f"Engine's Python: {engine_process.find_python(self.engine_python)}"))
        except UserError as error:
            found += [("ERROR", error.message), ("BLANK1", error.remedy)]
        found += engine_check.findings()
        if self.body_file and not Path(bpy.path.abspath(self.body_file)).is_file():
            found.append(("ERROR", f"The body file {self.body_file} does not exist."))
        elif not self.body_file:
            found.append(("INFO", "Body: the bundled mannequin."))
        return found


class HUMAN3R_OT_check_engine(bpy.types.Operator):
    """Start the engine's Python once and see whether it has what the engine needs"""

    bl_idname = "human3r.check_engine"
    bl_label = "Check the Engine"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            python = engine_process.find_python(read().engine_python)
        except UserError as error:
            self.report({"ERROR"}, f"{error.message} {error.remedy}")
            return {"CANCELLED"}
        engine_check.start(python)
        return {"FINISHED"}


def read() -> Human3RPreferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[ADDON_ID].preferences


CLASSES = (Human3RPreferences, HUMAN3R_OT_check_engine)
