# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for every scene: which Python runs the engine, which body to use. ``page.py`` draws it."""

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..blender.data_folder import ADDON_ID
from . import installation, page, probe

BUILD_NAMES = {
    "auto": "Automatic",
    "cpu": "CPU",
    "cuda": "CUDA 13",
    "cuda12": "CUDA 12",
    "rocm": "ROCm",
    "metal": "Metal",
}
BUILD_TEXTS = {
    "auto": "The build that fits this computer's devices and drivers",
    "cpu": "For computers without a suitable GPU; the smallest download",
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
        name="Custom Python",
        subtype="FILE_PATH",
        update=_looked_at_again,
        description="The python program of an environment with the engine's packages (torch, opencv). Empty: the one "
        "in the environment variable HUMAN3R_ENGINE_PYTHON, or else the engine that is installed here",
    )
    engine_build: EnumProperty(
        name="Build",
        default="auto",
        items=[(kind, BUILD_NAMES[kind], BUILD_TEXTS[kind]) for kind in installation.CHOICES],
        description="Which build of torch to install",
    )
    body_file: StringProperty(
        name="Custom Body File",
        subtype="FILE_PATH",
        update=_looked_at_again,
        description="An SMPL-X body file (.npz) that you have a license for, or the word mannequin. Empty: the "
        "installed SMPL-X body, or else the bundled mannequin",
    )

    take_folder: StringProperty(
        name="Folder for Takes",
        subtype="DIR_PATH",
        description="Where new takes are written. Empty: beside the .blend file, or beside the footage while that is "
        "not saved",
    )

    show_engine: BoolProperty(name="Engine", description="Install, test, repair, update or remove the engine")
    show_model: BoolProperty(name="Model", description="Download, import or remove the released weights")
    show_body: BoolProperty(name="Body", description="Download, import or remove the SMPL-X body")
    show_help: BoolProperty(name="Help", description="Copy a diagnostic report, or open the data folder")

    def draw(self, context: bpy.types.Context) -> None:
        page.draw(self.layout, self, context)


CLASSES = (Human3RPreferences,)
