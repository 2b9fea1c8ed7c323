# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on: what Blender calls when it is switched on and off."""

import bpy

from . import cli, live, operators, panels, preferences, properties, session

_commands: list[object] = []


def register() -> None:
    for cls in preferences.CLASSES:
        bpy.utils.register_class(cls)
    properties.register()
    operators.register()
    for cls in panels.CLASSES:
        bpy.utils.register_class(cls)
    live.register()
    _commands.append(bpy.utils.register_cli_command("human3r", cli.main))


def unregister() -> None:
    session.forget()
    bpy.utils.unregister_cli_command(_commands.pop())
    live.unregister()
    for cls in reversed(panels.CLASSES):
        bpy.utils.unregister_class(cls)
    operators.unregister()
    properties.unregister()
    for cls in reversed(preferences.CLASSES):
        bpy.utils.unregister_class(cls)
