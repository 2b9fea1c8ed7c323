# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of the settings, by Blender's own means: files in the user's folder for presets, and those shipped here.

A preset holds how to convert, and not what: the footage, its range and the take's file stay as they are. Blender
executes such files; ours are only read (`preset_files`), for people pass presets on.
"""

from __future__ import annotations

from pathlib import Path

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel
from bpy.props import BoolProperty, StringProperty

from ...engine.contract.errors import UserError
from ..blender.operators import refuse, say
from . import preset_files
from .properties import preset_names

FOLDER = "human3r"
"""Below every folder of presets that Blender knows."""

SHIPPED = Path(__file__).parent
"""Registered with Blender, which looks in its folder `presets`."""


class HUMAN3R_PT_presets(PresetPanel, bpy.types.Panel):
    """Choose, save or remove presets of the settings"""

    bl_label = "Human3R Presets"
    preset_subdir = FOLDER
    preset_operator = "human3r.use_preset"
    preset_add_operator = "human3r.add_preset"


class HUMAN3R_MT_presets(bpy.types.Menu):
    """The same list as a menu, in which Blender's search finds every preset by its name."""

    bl_label = "Settings Presets"
    preset_subdir = FOLDER
    preset_operator = "human3r.use_preset"
    draw = bpy.types.Menu.draw_preset


class HUMAN3R_OT_use_preset(bpy.types.Operator):
    """Use the settings of this preset. The footage, its range and the take's file stay the same"""

    bl_idname = "human3r.use_preset"
    bl_label = "Use Settings Preset"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(
        name="Preset", description="File of the preset", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:
            return self.execute(context)
        return bpy.ops.wm.call_panel(name=HUMAN3R_PT_presets.__name__, keep_open=False)

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)
        if not path.is_file():
            say(self, "ERROR", "There is no such preset. Choose one from the list.")
            return {"CANCELLED"}
        try:
            left_out = _use(preset_files.read(path), context.scene.human3r, path.name)
        except UserError as error:
            return refuse(self, error)
        HUMAN3R_PT_presets.bl_label = bpy.path.display_name(path.name, title_case=False)
        if left_out:
            say(self, "WARNING", "Settings that are not in this version were left out: {names}.", names=left_out)
        return {"FINISHED"}


def _use(preset: preset_files.SettingsPreset, settings: bpy.types.PropertyGroup, source: str) -> str:
    """Set all that a preset holds, or nothing. Returns the names that are no settings. Raises UserError."""
    known = preset_names()
    before = {name: getattr(settings, name) for name in known if settings.is_property_set(name)}
    try:
        if preset.forgets:
            settings.use_defaults()
        for name in preset.values.keys() & set(known):
            setattr(settings, name, preset.values[name])
    except (TypeError, ValueError, OverflowError) as error:
        for name in known:
            settings.property_unset(name)
        for name, value in before.items():
            setattr(settings, name, value)
        raise preset_files.unusable(source, error) from error
    return ", ".join(sorted(preset.values.keys() - set(known)))


class HUMAN3R_OT_add_preset(AddPresetBase, bpy.types.Operator):
    """Save the settings as a preset of your own, without the footage and its range, or remove one of your presets"""

    bl_idname = "human3r.add_preset"
    bl_label = "Add Settings Preset"
    bl_options = {"REGISTER"}
    preset_menu = "HUMAN3R_PT_presets"
    preset_subdir = FOLDER
    preset_defines = ["settings = bpy.context.scene.human3r"]

    remove_name: BoolProperty(
        name="Remove",
        description="Remove the preset with this name instead of adding one",
        default=False,
        options={"HIDDEN", "SKIP_SAVE"},
    )
    remove_active: BoolProperty(
        name="Remove Last Used",
        default=False,
        options={"HIDDEN", "SKIP_SAVE"},
        description="Remove the preset that was last used instead of adding one",
    )

    @property
    def preset_values(self) -> list[str]:
        """What is written, as Python expressions."""
        return [f"settings.{name}" for name in preset_names()]


CLASSES = (HUMAN3R_PT_presets, HUMAN3R_MT_presets, HUMAN3R_OT_use_preset, HUMAN3R_OT_add_preset)


def switch_on() -> None:
    bpy.utils.register_preset_path(str(SHIPPED))


def switch_off() -> None:
    bpy.utils.unregister_preset_path(str(SHIPPED))
