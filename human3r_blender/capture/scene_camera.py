# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera of the scene as what is known of the footage's camera."""

import bpy

from ...engine.contract.errors import UserError
from ..blender import busy
from ..blender.operators import refuse, say
from ..blender.text import tr
from ..scene import camera_file


class HUMAN3R_OT_use_scene_camera(bpy.types.Operator):
    """Tell the capture how the scene's camera moves: the first frame of the scene shows the footage's first frame. Do
    it again after changing the camera"""

    bl_idname = "human3r.use_scene_camera"
    bl_label = "Use Scene Camera"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not busy.nothing_runs(cls):
            return False
        if context.scene.camera is None:
            cls.poll_message_set(tr("The scene has no camera"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        try:
            path = camera_file.write(scene.camera, scene)
        except UserError as error:
            return refuse(self, error)
        scene.human3r.camera_file, scene.human3r.fixed_camera = str(path), False
        frames = scene.frame_end - scene.frame_start + 1
        say(self, "INFO", "{name} is known in {frames} frames of the footage.", name=scene.camera.name, frames=frames)
        return {"FINISHED"}


CLASSES = (HUMAN3R_OT_use_scene_camera,)
