# SPDX-License-Identifier: GPL-3.0-or-later
"""The button that copies the report."""

import bpy

from ..blender.operators import say
from . import diagnostics


class HUMAN3R_OT_copy_diagnostics(bpy.types.Operator):
    """Copy a report of versions, devices, what is installed, the last error and the logs. Names are removed"""

    bl_idname = "human3r.copy_diagnostics"
    bl_label = "Copy Diagnostics"

    def execute(self, context: bpy.types.Context) -> set[str]:
        if context.window is not None:
            context.window.cursor_set("WAIT")  # importing torch to ask for its version takes seconds
        try:
            context.window_manager.clipboard = diagnostics.report()
        finally:
            if context.window is not None:
                context.window.cursor_set("DEFAULT")
        say(self, "INFO", "The report was copied to the clipboard.")
        return {"FINISHED"}


CLASSES = (HUMAN3R_OT_copy_diagnostics,)
