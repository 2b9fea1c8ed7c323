# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for every scene: which Python runs the engine, which body to use. ``setup_panel.py`` draws it."""

from dataclasses import dataclass

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from . import engine_process, installation
from .data_folder import ADDON_ID

BUILD_NAMES = {"auto": "Automatic", "cpu": "Processor", "cuda": "CUDA 13", "cuda12": "CUDA 12", "rocm": "ROCm",
               "metal": "Metal"}
BUILD_TEXTS = {"auto": "What fits this machine's devices and drivers", "cpu": "Without a GPU; the smallest download",
               "cuda": "Newer NVIDIA GPUs and drivers", "cuda12": "Older NVIDIA GPUs or drivers",
               "rocm": "AMD GPUs, on Linux", "metal": "Macs with Apple silicon"}


def _looked_at_again(_: bpy.types.AddonPreferences, __: bpy.types.Context) -> None:
    from . import setup_probe  # which needs this module
    setup_probe.forget()


class Human3RPreferences(bpy.types.AddonPreferences):
    bl_idname = ADDON_ID

    engine_python: StringProperty(
        name="Use This Python Instead", subtype="FILE_PATH", update=_looked_at_again,
        description="The python program of an environment that has the engine's packages (torch, opencv). Empty: the "
                    f"environment variable {engine_process.PYTHON_VARIABLE}, or else the engine that is installed here")
    engine_build: EnumProperty(
        name="Build", default="auto",
        items=[(kind, BUILD_NAMES[kind], BUILD_TEXTS[kind]) for kind in installation.CHOICES],
        description="Which build of torch to install. Automatic: what fits this machine's devices and drivers")
    body_file: StringProperty(
        name="Use This File Instead", subtype="FILE_PATH", update=_looked_at_again,
        description="An SMPL-X body file (.npz) that you have a licence for, or the word mannequin. Empty: the "
                    "installed SMPL-X body, or else the bundled, free mannequin")

    show_engine: BoolProperty(name="Engine", description="Install, repair, update or remove the engine; try it")
    show_model: BoolProperty(name="Model", description="Get, import or remove the released weights")
    show_body: BoolProperty(name="Body", description="Get, import or remove the SMPL-X body")
    show_help: BoolProperty(name="Help", description="A report to copy, and the folder that holds everything")

    def draw(self, context: bpy.types.Context) -> None:
        from . import setup_panel  # which needs this module
        setup_panel.draw(self.layout, self, context)


def read() -> Human3RPreferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[ADDON_ID].preferences


@dataclass(frozen=True)
class Choices:
    """The preferences that have an effect. The defaults are those of an add-on that is not enabled (the bpy wheel)."""

    engine_python: str = ""
    engine_build: str = "auto"
    body_file: str = ""


def choices() -> Choices:
    """What the person chose; the defaults where the add-on is not enabled."""
    addon = bpy.context.preferences.addons.get(ADDON_ID)
    if addon is None or addon.preferences is None:
        return Choices()
    chosen = addon.preferences
    return Choices(chosen.engine_python, chosen.engine_build, chosen.body_file)


CLASSES = (Human3RPreferences,)
