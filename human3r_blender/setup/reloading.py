# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's code loaded anew without leaving Blender, for whoever changes it.

Switching an add-on off and on again, and Blender's own Reload Scripts, leave all modules but the outermost as they were
loaded first.
"""

import importlib
import sys

import addon_utils
import bpy

from ..blender import busy
from ..blender.data_folder import ADDON_ID
from ..blender.text import tr


class HUMAN3R_OT_reload(bpy.types.Operator):
    """Reload the add-on's code from disk after it was edited"""

    bl_idname = "human3r.reload"
    bl_label = "Reload Human3R"
    bl_options = {"INTERNAL"}  # the menus that list every operator leave it out

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if busy.is_busy():
            cls.poll_message_set(tr("Something is still running. Wait for it to finish, or cancel it"))
            return False
        return is_developer(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        # Not from here: an operator that is running must not be taken away.
        bpy.app.timers.register(reload, first_interval=0.0)
        return {"FINISHED"}


def is_developer(context: bpy.types.Context) -> bool:
    """Whether Blender shows what is for developers: Preferences > Interface > Developer Extras."""
    return context.preferences.view.show_developer_ui


def reload() -> None:
    """Switch the add-on off and on again, with its modules as they are on the disk now."""
    addon_utils.disable(ADDON_ID)
    _forget_modules()
    importlib.invalidate_caches()
    if addon_utils.enable(ADDON_ID) is None:  # the console says why
        _forget_modules()  # the next attempt begins anew, too


def _forget_modules() -> None:
    for name in list(sys.modules):
        if name == ADDON_ID or name.startswith(ADDON_ID + "."):
            del sys.modules[name]


CLASSES = (HUMAN3R_OT_reload,)
