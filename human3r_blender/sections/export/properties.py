# SPDX-License-Identifier: GPL-3.0-or-later
"""What the section Export asks for, kept with the scene."""

from dataclasses import replace

import bpy
from bpy.props import BoolProperty, EnumProperty

from ....engine.contract.take_export import TakeExportSettings
from ...blender.paths import absolute
from ...blender.properties import property_of, settings_from, with_settings
from ...person import characters, selection
from .formats import FORMATS
from .scene_files import SCENE_FILES
from .settings import ExportSettings

FORMAT_ITEMS = [
    (item.name.upper(), item.label, item.description, "NONE", 1 << item.number) for item in FORMATS.values()
]

SCENE_FILE_ITEMS = [(item.id, item.label, item.description, "NONE", 1 << item.number) for item in SCENE_FILES.values()]

SCENE_RATE, OTHER_RATE = "SCENE", "OTHER"
RATES = ("23.976", "24", "25", "29.97", "30", "50", "59.94", "60")


@with_settings(ExportSettings, leave_out=("frame_rate",))
@with_settings(TakeExportSettings)
class Human3RExport(bpy.types.PropertyGroup):
    """Settings of the next export."""

    formats: EnumProperty(
        name="Formats",
        description="File formats to export. Shift-click to choose several",
        items=FORMAT_ITEMS,
        options={"ENUM_FLAG"},
        default={"FBX"},
    )
    scene_files: EnumProperty(
        name="Scene Files",
        description="What else to export: the camera alone, the scene points, and what other programs need of the "
        "take. Shift-click to choose several",
        items=SCENE_FILE_ITEMS,
        options={"ENUM_FLAG"},
        default=set(),
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
        description="Export all people and characters of the scene instead of only the selected ones. Hidden people "
        "are left out",
    )

    subjects: property_of(ExportSettings, "subjects", ids=str.upper)

    def chosen(self, context: bpy.types.Context) -> tuple[list[bpy.types.Object], list[bpy.types.Object]]:
        """The people and the characters that an export is about."""
        people, there = selection.people(context, self.everyone), characters.characters_in(context.scene)
        if not self.everyone:
            named = {item.find_armature() or item for item in context.selected_objects}
            meant = characters.of(people, there)
            there = [item for item in there if item in named or item in meant]
        return people, there

    def settings(self) -> ExportSettings:
        """The settings as the export takes them. Raises UserError (``bad-setting``)."""
        formats = tuple(name for name in FORMATS if name.upper() in self.formats)
        return settings_from(self, ExportSettings, formats=formats, frame_rate=self.chosen_rate())

    def chosen_rate(self) -> float:
        """Frames per second; 0 for the scene's own."""
        rate = {SCENE_RATE: 0.0, OTHER_RATE: self.other_rate}.get(self.rate)
        return float(self.rate) if rate is None else rate

    def chosen_scene_files(self) -> list[str]:
        """Those by their names in `SCENE_FILES`."""
        return [name for name, item in SCENE_FILES.items() if item.id in self.scene_files]

    def take_settings(self) -> TakeExportSettings:
        """How the take is exported. Raises UserError (``bad-setting``)."""
        found = settings_from(self, TakeExportSettings)
        return replace(found, footage=absolute(found.footage))


CLASSES = (Human3RExport,)
SCENE_PROPERTIES = {"human3r_export": Human3RExport}
