# SPDX-License-Identifier: GPL-3.0-or-later
"""The button for footage that is not where it was."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ....engine.contract.errors import UserError
from ...blender import busy, tags
from ...blender.operators import refuse, say
from ...blender.paths import absolute
from ...blender.text import tr
from ...scene import found_footage, takes


class HUMAN3R_OT_find_footage(bpy.types.Operator, ImportHelper):
    """Say where the footage of the take lies now: the video, or one image of an image sequence. The camera's
    background, exports and the footage in the panel follow"""

    bl_idname = "human3r.find_footage"
    bl_label = "Find Footage"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(
        name="Footage",
        subtype="FILE_PATH",
        options={"HIDDEN", "SKIP_SAVE"},
        description="Video, image or folder of images that the take was made from",
    )
    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_image: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not busy.nothing_runs(cls):
            return False
        root = takes.root_of(context)
        if root is None or root.library is not None:
            cls.poll_message_set(tr("Select something of a take of this file"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        root, path = takes.root_of(context), Path(absolute(self.filepath))
        assert root is not None, "poll asked"
        before, settings = tags.text(root, tags.SOURCE), context.scene.human3r
        try:
            footage = found_footage.footage_of(path)
            found_footage.relink(root, footage)
        except UserError as error:
            return refuse(self, error)
        if absolute(settings.source) == before:
            settings.source = str(footage)
        say(self, "INFO", "The footage of {name} is {path}.", name=root.name, path=footage)
        return {"FINISHED"}


CLASSES = (HUMAN3R_OT_find_footage,)
