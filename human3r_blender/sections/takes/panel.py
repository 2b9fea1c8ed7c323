# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Takes of the sidebar: the recent takes, each with what can be done with it."""

import time

import bpy

from ...blender.sidebar import Section
from ...blender.text import tr
from ...capture import recent_takes
from ...capture.recent_takes import RecentTake
from . import TITLE

LISTED = 5
"""So many are in the section; all of them are in the menu."""


class HUMAN3R_PT_takes(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_idname = "HUMAN3R_PT_takes"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(recent_takes.listed())

    def draw(self, context: bpy.types.Context) -> None:
        found = recent_takes.present()
        for item in found[:LISTED]:
            self._draw_take(item)
        if len(found) > LISTED:
            text = tr("{count} more", count=len(found) - LISTED)
            self.layout.menu("HUMAN3R_MT_recent_takes", text=text, translate=False)
        self.layout.operator("human3r.import_take", text="Import...", icon="IMPORT")

    def _draw_take(self, item: RecentTake) -> None:
        column = self.layout.box().column(align=True)
        row = column.row(align=True)
        row.operator("human3r.import_take", text=item.clip, translate=False, icon="IMPORT").filepath = item.take
        row.operator("human3r.reveal_take", text="", icon="FILE_FOLDER").filepath = item.take
        row.operator("human3r.remove_take", text="", icon="TRASH").filepath = item.take
        column.label(text=describe(item), translate=False)


class HUMAN3R_MT_recent_takes(bpy.types.Menu):
    """Import one of the recent takes."""

    bl_label = "Recent Takes"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.operator_context = "INVOKE_DEFAULT"
        for item in recent_takes.present():
            text = f"{item.clip}: {describe(item)}"
            self.layout.operator("human3r.import_take", text=text, translate=False).filepath = item.take


def describe(item: RecentTake) -> str:
    """Frames, people and date of a take in one line."""
    date = time.strftime("%Y-%m-%d", time.localtime(item.date))
    return tr("{frames} frames, {people} people, {date}", frames=item.frames, people=item.people, date=date)


def _draw_import_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    if recent_takes.listed():
        menu.layout.menu(HUMAN3R_MT_recent_takes.__name__, text="Recent Human3R Takes")


CLASSES = (HUMAN3R_PT_takes, HUMAN3R_MT_recent_takes)
MENU_ENTRIES = (("TOPBAR_MT_file_import", _draw_import_menu),)
