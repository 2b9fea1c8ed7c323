# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on: what Blender calls when it is switched on and off."""

import bpy

from ..engine.contract import logs
from . import sections
from .batch import command_line, farm_operator
from .blender import data_folder, lookout, registration, slices
from .capture import (
    editor_strips,
    footage_facts,
    honesty,
    operators,
    panel,
    properties,
    recent_takes,
    resuming,
    scene_camera,
    session,
    setting_presets,
    settings_panels,
    thumbnails,
    timer,
)
from .report import operators as report_operators
from .scene import take_places
from .sections import search_menu
from .setup import install_operators, installation, preferences, reloading, tasks
from .setup import operators as setup_operators

MODULES = (
    lookout,
    take_places,
    preferences,
    install_operators,
    setup_operators,
    reloading,
    report_operators,
    slices,
    properties,
    setting_presets,
    thumbnails,
    footage_facts,
    honesty,
    operators,
    editor_strips,
    resuming,
    scene_camera,
    panel,
    settings_panels,
    recent_takes,
    timer,
    farm_operator,
    *sections.modules(),
    search_menu,
)

_commands: list[object] = []


def register() -> None:
    logs.set_up()
    data_folder.use_extension_folder()
    registration.register(MODULES)
    _commands.append(bpy.utils.register_cli_command("human3r", command_line.main))


def unregister() -> None:
    session.forget()
    tasks.forget()
    installation.close_all()
    bpy.utils.unregister_cli_command(_commands.pop())
    registration.unregister(MODULES)
