# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on: what Blender calls when it is switched on and off."""

import bpy

from . import (
    cleanup,
    cli,
    data_folder,
    export,
    ground_tools,
    installation,
    live,
    looks,
    operators,
    panels,
    people_tools,
    preferences,
    properties,
    retarget,
    session,
    settings_operators,
    setup_operators,
    tasks,
)

SETUP_CLASSES = (*preferences.CLASSES, *setup_operators.CLASSES, *settings_operators.CLASSES)
_commands: list[object] = []


def register() -> None:
    data_folder.use_extension_folder()
    for cls in SETUP_CLASSES:
        bpy.utils.register_class(cls)
    properties.register()
    operators.register()
    for cls in panels.CLASSES:
        bpy.utils.register_class(cls)
    people_tools.register()
    looks.register()
    for cls in ground_tools.CLASSES:
        bpy.utils.register_class(cls)
    cleanup.register()
    retarget.register()
    export.register()
    live.register()
    _commands.append(bpy.utils.register_cli_command("human3r", cli.main))


def unregister() -> None:
    session.forget()
    tasks.forget()
    installation.close_all()
    bpy.utils.unregister_cli_command(_commands.pop())
    live.unregister()
    export.unregister()
    retarget.unregister()
    cleanup.unregister()
    for cls in reversed(ground_tools.CLASSES):
        bpy.utils.unregister_class(cls)
    looks.unregister()
    people_tools.unregister()
    for cls in reversed(panels.CLASSES):
        bpy.utils.unregister_class(cls)
    operators.unregister()
    properties.unregister()
    for cls in reversed(SETUP_CLASSES):
        bpy.utils.unregister_class(cls)
