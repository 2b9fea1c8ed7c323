# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for every scene: which Python runs the engine, which body to use. ``page.py`` draws it."""

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..blender.data_folder import ADDON_ID
from . import installation, page, probe
from .engine_python import PYTHON_VARIABLE

BUILD_NAMES = {
    "auto": "Automatic",
    "cpu": "Processor",
    "cuda": "CUDA 13",
    "cuda12": "CUDA 12",
    "rocm": "ROCm",
    "metal": "Metal",
}
BUILD_TEXTS = {
    "auto": "What fits this machine's devices and drivers",
    "cpu": "Without a GPU; the smallest download",
    "cuda": "Newer NVIDIA GPUs and drivers",
    "cuda12": "Older NVIDIA GPUs or drivers",
    "rocm": "AMD GPUs, on Linux",
    "metal": "Macs with Apple silicon",
}


def _looked_at_again(_: bpy.types.AddonPreferences, __: bpy.types.Context) -> None:
    probe.forget()


class Human3RPreferences(bpy.types.AddonPreferences):
    bl_idname = ADDON_ID

    engine_python: StringProperty(
        name="Use This Python Instead",
        subtype="FILE_PATH",
        update=_looked_at_again,
        description="The python program of an environment that has the engine's packages (torch, opencv). Empty: the "
        f"environment variable {PYTHON_VARIABLE}, or else the engine that is installed here",
    )
    engine_build: EnumProperty(
        name="Build",
        default="auto",
        items=[(kind, BUILD_NAMES[kind], BUILD_TEXTS[kind]) for kind in installation.CHOICES],
        description="Which build of torch to install. Automatic: what fits this machine's devices and drivers",
    )
    body_file: StringProperty(
        name="Use This File Instead",
        subtype="FILE_PATH",
        update=_looked_at_again,
        description="An SMPL-X body file (.npz) that you have a licence for, or the word mannequin. Empty: the "
        "installed SMPL-X body, or else the bundled, free mannequin",
    )

    show_engine: BoolProperty(name="Engine", description="Install, repair, update or remove the engine; try it")
    show_model: BoolProperty(name="Model", description="Get, import or remove the released weights")
    show_body: BoolProperty(name="Body", description="Get, import or remove the SMPL-X body")
    show_help: BoolProperty(name="Help", description="A report to copy, and the folder that holds everything")

    def draw(self, context: bpy.types.Context) -> None:
        page.draw(self.layout, self, context)


CLASSES = (Human3RPreferences,)
