# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Clean-up of the sidebar's tab Human3R."""

import bpy

from ....engine.motion.clean_up import CleanUpSettings
from ...blender import tags
from ...blender.properties import copy_settings, draw_settings
from ...blender.sidebar import Section
from ...blender.text import tr
from ...person import family, selection, versions
from . import TITLE
from .operators import VERSIONS


class HUMAN3R_PT_clean_up(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_idname = "HUMAN3R_PT_clean_up"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(selection.people(context, True))

    def draw(self, context: bpy.types.Context) -> None:
        settings, layout = context.scene.human3r_cleanup, self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        draw_settings(column, settings, CleanUpSettings)
        column.prop(settings, "everyone")
        chosen = selection.people(context, settings.everyone)
        row = layout.row()
        row.enabled = bool(chosen)
        button = row.operator(
            "human3r.clean_up", icon="MOD_SMOOTH", text="Clean Up" if chosen else "Clean Up (None Selected)"
        )
        copy_settings(settings, button, CleanUpSettings)
        button.everyone = settings.everyone
        cleaned = [item for item in chosen if family.action(item, tags.CLEAN) is not None]
        if not cleaned:
            return
        playing = {versions.shown(item) for item in cleaned}
        row = layout.row(align=True)
        for version, label, _ in VERSIONS:
            button = row.operator("human3r.show_version", text=label, depress=playing == {version.lower()})
            button.version, button.everyone = version, settings.everyone
        strengths = {f"{found.strength:.2f}" for item in cleaned if (found := versions.settings_of(item)) is not None}
        layout.label(text=tr("Strength used: {strengths}", strengths=", ".join(sorted(strengths))))
        homes = [home for item in cleaned if (home := family.marks(item)) is not None]
        if homes:
            hidden = all(home.hide_viewport for home in homes)
            layout.operator(
                "human3r.show_contacts",
                icon="HIDE_ON" if hidden else "HIDE_OFF",
                depress=not hidden,
                text="Contact Marks",
            ).show = hidden


CLASSES = (HUMAN3R_PT_clean_up,)
