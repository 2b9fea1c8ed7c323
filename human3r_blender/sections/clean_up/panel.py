# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Motion of the sidebar's tab Human3R: raw or clean, how strongly, and what rests when."""

import bpy

from ....engine.motion.clean_up import CleanUpSettings
from ...blender import tags
from ...blender.properties import copy_settings
from ...blender.sidebar import Human3RPanel, Section
from ...blender.text import characters_across, draw_text, tr
from ...person import family, selection, versions
from . import TITLE
from .operators import VERSIONS

BUTTONS = ("RAW", "CLEAN")
"""The versions that have a large button."""


class HUMAN3R_PT_clean_up(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_idname = "HUMAN3R_PT_clean_up"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(selection.people(context, True))

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_cleanup, self.layout
        chosen = selection.people(context, settings.everyone)
        row = layout.row(align=True)
        row.scale_y, row.enabled = 1.6, bool(chosen)
        _draw_versions(row, context, chosen, BUTTONS)
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        column.prop(settings, "strength")
        column.prop(settings, "lock_feet")
        row = layout.row()
        row.enabled = bool(chosen)
        cleaned = [item for item in chosen if family.action(item, tags.CLEAN) is not None]
        text = "Clean Up Again" if cleaned else "Clean Up"
        button = row.operator(
            "human3r.clean_up", icon="MOD_SMOOTH", text=text if chosen else "Clean Up (None Selected)"
        )
        copy_settings(settings, button, CleanUpSettings)
        button.everyone = settings.everyone
        self._draw_notes(context, cleaned)

    def _draw_notes(self, context: bpy.types.Context, cleaned: list[bpy.types.Object]) -> None:
        """What was made with other settings than those above, or could not be made as they say."""
        used = {f"{found.strength:.2f}" for item in cleaned if (found := versions.settings_of(item)) is not None}
        if used - {f"{context.scene.human3r_cleanup.strength:.2f}"}:
            said = tr("Strength used: {strengths}", strengths=", ".join(sorted(used)))
            draw_text(self.layout, said, characters_across(context), "INFO")
        if any(versions.lacks_camera(item) for item in cleaned):
            said = tr("Place not refined: the camera of the take is not in the scene")
            draw_text(self.layout, said, characters_across(context), "INFO")


class HUMAN3R_PT_motion_advanced(Human3RPanel, bpy.types.Panel):
    bl_label = "Advanced"
    bl_parent_id = HUMAN3R_PT_clean_up.bl_idname
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_cleanup, self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        column.prop(settings, "refine")
        column.prop(settings, "everyone")
        chosen = selection.people(context, settings.everyone)
        row = layout.row(align=True)
        row.enabled = bool(chosen)
        _draw_versions(row, context, chosen, [name for name, *_ in VERSIONS if name not in BUTTONS], "Show {version}")


def _draw_versions(
    row: bpy.types.UILayout,
    context: bpy.types.Context,
    chosen: list[bpy.types.Object],
    names: list[str] | tuple[str, ...],
    template: str = "{version}",
) -> None:
    playing = {versions.shown(item) for item in chosen}
    for version, label, _ in VERSIONS:
        if version in names:
            text = tr(template, version=tr(label))
            button = row.operator("human3r.show_version", text=text, depress=playing == {version.lower()})
            button.version, button.everyone = version, context.scene.human3r_cleanup.everyone


CLASSES = (HUMAN3R_PT_clean_up, HUMAN3R_PT_motion_advanced)
