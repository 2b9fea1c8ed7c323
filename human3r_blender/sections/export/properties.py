# SPDX-License-Identifier: GPL-3.0-or-later
"""What the section Export asks for, kept with the scene."""

import bpy
from bpy.props import BoolProperty, EnumProperty

from ...blender.properties import property_of, settings_from, with_settings
from .formats import FORMATS
from .settings import ExportSettings

FORMAT_ITEMS = [
    (item.name.upper(), item.label, item.description, "NONE", 1 << item.number) for item in FORMATS.values()
]

SCENE_RATE, OTHER_RATE = "SCENE", "OTHER"
RATES = ("23.976", "24", "25", "29.97", "30", "50", "59.94", "60")


@with_settings(ExportSettings, leave_out=("frame_rate",))
class Human3RExport(bpy.types.PropertyGroup):
    """Settings of the next export."""

    formats: EnumProperty(
        name="Formats",
        description="File formats to export. Shift-click to choose several",
        items=FORMAT_ITEMS,
        options={"ENUM_FLAG"},
        default={"FBX"},
    )
    target: property_of(ExportSettings, "target", ids=str.upper)
    rate: EnumProperty(
        name="Frame Rate",
        default=SCENE_RATE,
        description="Frames per second of the exported motion. The motion is resampled and keeps its true speed",
        items=[
            (SCENE_RATE, "Scene Rate", "The scene's own frame rate"),
            *(
                (rate, rate, f"{rate} frames per second" + (", the exact NTSC rate" if "." in rate else ""))
                for rate in RATES
            ),
            (OTHER_RATE, "Other", "Use the rate entered below"),
        ],
    )
    other_rate: property_of(
        ExportSettings,
        "frame_rate",
        description="Frames per second of the exported motion",
        default=30.0,
        min=0.1,
    )
    everyone: BoolProperty(
        name="All People",
        default=True,
        description="Export all people in the scene instead of only the selected ones. Hidden people are left out",
    )

    def settings(self) -> ExportSettings:
        """The settings as the export takes them. Raises UserError (``bad-setting``)."""
        rate = {SCENE_RATE: 0.0, OTHER_RATE: self.other_rate}.get(self.rate)
        formats = tuple(name for name in FORMATS if name.upper() in self.formats)
        return settings_from(
            self, ExportSettings, formats=formats, frame_rate=float(self.rate) if rate is None else rate
        )


CLASSES = (Human3RExport,)
SCENE_PROPERTIES = {"human3r_export": Human3RExport}
