# SPDX-License-Identifier: GPL-3.0-or-later
"""What the person chose in the preferences."""

from dataclasses import dataclass

import bpy

from ...engine.contract.body_choice import MANNEQUIN
from ..blender.data_folder import ADDON_ID
from ..blender.paths import absolute


def read() -> bpy.types.AddonPreferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[ADDON_ID].preferences


@dataclass(frozen=True)
class Choices:
    """The preferences that have an effect. The defaults are those of an add-on that is not enabled (the bpy wheel)."""

    engine_python: str = ""
    engine_build: str = "auto"
    body_file: str = ""
    take_folder: str = ""


def chosen() -> Choices:
    """What the person chose; the defaults where the add-on is not enabled."""
    addon = bpy.context.preferences.addons.get(ADDON_ID)
    if addon is None or addon.preferences is None:
        return Choices()
    read = addon.preferences
    return Choices(read.engine_python, read.engine_build, read.body_file, read.take_folder)


def chosen_body() -> str:
    """The preferences' body as settings take it: a path, the word for the mannequin, or empty."""
    body = read().body_file
    return body if body == MANNEQUIN else absolute(body)
