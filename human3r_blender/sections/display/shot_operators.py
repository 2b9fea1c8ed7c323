# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons Set Up Shot and Remove Shot."""

from __future__ import annotations

import bpy

from ....engine.contract.errors import UserError
from ...blender import busy
from ...blender.operators import refuse, say
from ...blender.text import tr
from ...scene.takes import has_root, root_of
from . import shot


class HUMAN3R_OT_set_up_shot(bpy.types.Operator):
    """Prepare a quick render of the people in their footage: a sun, a floor that catches their shadows, and the footage
    behind, rendered by Cycles through the take's camera. Points and backdrop are left out of it"""

    bl_idname = "human3r.set_up_shot"
    bl_label = "Set Up Shot"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return busy.nothing_runs(cls) and has_root(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        root = root_of(context)
        assert root is not None
        try:
            has_footage = shot.set_up(context.scene, root)
        except UserError as error:
            return refuse(self, error)
        if has_footage:
            say(self, "INFO", "The shot is set up. Press F12 to render a frame.")
        else:
            say(self, "WARNING", "The footage is missing, so the shot has a gray background.")
        return {"FINISHED"}


class HUMAN3R_OT_remove_shot(bpy.types.Operator):
    """Remove the shot's sun and floor, and bring back the world, the camera and the render settings from before"""

    bl_idname = "human3r.remove_shot"
    bl_label = "Remove Shot"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if shot.of(context.scene) is None:
            cls.poll_message_set(tr("No shot is set up in this scene"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        shot.remove(context.scene)
        return {"FINISHED"}


CLASSES = (HUMAN3R_OT_set_up_shot, HUMAN3R_OT_remove_shot)
