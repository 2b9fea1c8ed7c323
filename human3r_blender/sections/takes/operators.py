# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with the file of a take: show it in the file manager, delete it."""

import os
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ....engine.contract.errors import UserError
from ...blender import busy
from ...blender.operators import refuse, say
from ...blender.text import tr
from ...capture import recent_takes
from ...scene import take_places, takes
from .removing import remove_take


class _OfTake(bpy.types.Operator):
    """A take that is named, or the one of the scene that is chosen."""

    filepath: StringProperty(
        name="Take",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
        description="File of the take (.h3r); empty for the take of the scene",
    )

    def take(self, context: bpy.types.Context) -> Path:
        """The take that is meant. Raises UserError (``no-take``)."""
        if self.filepath:
            return Path(bpy.path.abspath(self.filepath)).absolute()
        root = takes.root_of(context)
        place = take_places.take_file(root, os.path.exists) if root is not None else None
        if place is None:
            raise UserError(
                "no-take", "It is not clear which take is meant.", "Select something of it, or use the section Takes."
            )
        return place


class HUMAN3R_OT_reveal_take(_OfTake):
    """Open the folder of a take in the file manager"""

    bl_idname = "human3r.reveal_take"
    bl_label = "Reveal Take"

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            folder = self.take(context).parent
        except UserError as error:
            return refuse(self, error)
        if not folder.is_dir():
            say(self, "ERROR", "The folder {folder} is not there any more.", folder=folder)
            return {"CANCELLED"}
        return bpy.ops.wm.path_open(filepath=str(folder))


class HUMAN3R_OT_remove_take(_OfTake):
    """Delete the file of a take and those that belong to it, such as its resume file. What it brought into scenes
    stays there"""

    bl_idname = "human3r.remove_take"
    bl_label = "Remove Take"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return busy.nothing_runs(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        try:
            name = self.take(context).name
        except UserError as error:
            return refuse(self, error)
        message = tr("Delete {name} from the disk? This cannot be undone.", name=name)
        return context.window_manager.invoke_confirm(self, event, message=message, icon="WARNING")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            take = self.take(context)
            remove_take(take)
        except UserError as error:
            return refuse(self, error)
        recent_takes.drop(take)
        say(self, "INFO", "Deleted {name}.", name=take.name)
        return {"FINISHED"}


CLASSES = (HUMAN3R_OT_reveal_take, HUMAN3R_OT_remove_take)
