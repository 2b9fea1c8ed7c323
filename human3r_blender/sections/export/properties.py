# SPDX-License-Identifier: GPL-3.0-or-later
"""What the section Export asks for, kept with the scene."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ....engine.contract.arguments import field_docs
from .formats import FORMATS
from .settings import LARGEST_RATE, TARGETS, ExportSettings

TEXTS = field_docs(ExportSettings)
DEFAULT = ExportSettings(("fbx",))

FORMAT_ITEMS = [
    (item.name.upper(), item.label, item.description, "NONE", 1 << item.number) for item in FORMATS.values()
]
PROGRAMS = {
    "unity": ("Unity", "Metres, y up, facing +z; a file that says so"),
    "unreal": ("Unreal", "Centimetres, and each person in a file of its own whose skeleton begins at its bone root"),
    "blender": ("Blender and Others", "Metres, y up; a file that says so"),
}

SCENE_RATE, OTHER_RATE = "SCENE", "OTHER"
RATES = ("23.976", "24", "25", "29.97", "30", "50", "59.94", "60")


class Human3RExport(bpy.types.PropertyGroup):
    """Settings of the next export."""

    formats: EnumProperty(
        name="Formats",
        description="Which files to write. Shift-click for several",
        items=FORMAT_ITEMS,
        options={"ENUM_FLAG"},
        default={"FBX"},
    )
    target: EnumProperty(
        name="FBX For",
        description="Which program reads the FBX file",
        items=[(name.upper(), *PROGRAMS[name]) for name in TARGETS],
        default=DEFAULT.target.upper(),
    )
    rate: EnumProperty(
        name="Frame Rate",
        default=SCENE_RATE,
        description="Frames per second of the exported motion. It is resampled by time, so that it plays at its true "
        "speed",
        items=[
            (SCENE_RATE, "As the Scene", "The scene's own frame rate"),
            *(
                (rate, rate, f"{rate} frames per second" + (", the exact NTSC rate" if "." in rate else ""))
                for rate in RATES
            ),
            (OTHER_RATE, "Other", "Another rate, below"),
        ],
    )
    other_rate: FloatProperty(
        name="FPS",
        description="Frames per second of the exported motion",
        default=30.0,
        min=0.1,
        max=LARGEST_RATE,
        precision=3,
    )
    everyone: BoolProperty(
        name="All People",
        default=True,
        description="Export all people of the scene, not the selected ones alone. Hidden ones are left out",
    )
    together: BoolProperty(name="One File for All", description=TEXTS["together"], default=DEFAULT.together)
    camera: BoolProperty(name="Camera", description=TEXTS["camera"], default=DEFAULT.camera)
    overwrite: BoolProperty(name="Overwrite", description=TEXTS["overwrite"], default=DEFAULT.overwrite)

    def settings(self) -> ExportSettings:
        """The settings as the export takes them. Raises UserError (``bad-setting``)."""
        rate = {SCENE_RATE: 0.0, OTHER_RATE: self.other_rate}.get(self.rate)
        formats = tuple(name for name in FORMATS if name.upper() in self.formats)
        return ExportSettings(
            formats,
            float(self.rate) if rate is None else rate,
            self.target.lower(),
            self.together,
            self.camera,
            self.overwrite,
        )


CLASSES = (Human3RExport,)
SCENE_PROPERTIES = {"human3r_export": Human3RExport}
