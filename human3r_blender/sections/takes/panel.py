# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Takes of the sidebar: the recent takes, each with what can be done with it."""

import time
from collections.abc import Sequence
from pathlib import Path

import bpy

from ....engine.contract.sentences import Sentence
from ...blender import tags
from ...blender.sidebar import Section
from ...blender.text import characters_across, draw_text, tr
from ...capture import recent_takes
from ...capture.recent_takes import RecentTake
from ...scene import take_places, takes
from . import TITLE

LISTED = 5
"""So many are in the section; all of them are in the menu."""
LOST = "{name} is not where it was"


class HUMAN3R_PT_takes(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_idname = "HUMAN3R_PT_takes"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(recent_takes.listed() or takes.roots_in(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        chosen = takes.root_of(context)
        for root in [chosen] if chosen is not None else takes.roots_in(context.scene)[:LISTED]:
            self._draw_root(root, root == chosen, characters_across(context))
        found = recent_takes.present()
        for item in found[:LISTED]:
            self._draw_take(item, name_of(item, found))
        if len(found) > LISTED:
            text = tr("{count} more", count=len(found) - LISTED)
            self.layout.menu("HUMAN3R_MT_recent_takes", text=text, translate=False)
        self.layout.operator("human3r.import_take", text="Import...", icon="IMPORT")

    def _draw_root(self, root: bpy.types.Object, is_chosen: bool, characters: int) -> None:
        """Which take something of this scene is from, and what of it is not there any more."""
        take, footage = take_places.take_file(root), take_places.footage(root)
        if take is None:
            return
        column = self.layout.column(align=True)
        is_missing = take_places.is_missing(take)
        draw_text(column, said_of(root, take, is_missing), characters, icon="ERROR" if is_missing else "FILE")
        if footage is not None and take_places.is_missing(footage):
            draw_text(column, Sentence(LOST, name=footage.name), characters, icon="FILE_MOVIE")
            if is_chosen:
                column.operator("human3r.find_footage", icon="VIEWZOOM")

    def _draw_take(self, item: RecentTake, name: str) -> None:
        column = self.layout.box().column(align=True)
        row = column.row(align=True)
        row.operator("human3r.import_take", text=name, translate=False, icon="IMPORT").filepath = item.take
        row.operator("human3r.reveal_take", text="", icon="FILE_FOLDER").filepath = item.take
        row.operator("human3r.remove_take", text="", icon="TRASH").filepath = item.take
        column.label(text=describe(item), translate=False)


class HUMAN3R_MT_recent_takes(bpy.types.Menu):
    """Import one of the recent takes."""

    bl_label = "Recent Takes"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.operator_context = "INVOKE_DEFAULT"
        found = recent_takes.present()
        for item in found:
            text = f"{name_of(item, found)}: {describe(item)}"
            self.layout.operator("human3r.import_take", text=text, translate=False).filepath = item.take


def said_of(root: bpy.types.Object, take: Path, is_missing: bool) -> str:
    """What a take of the scene is called: a quick look, whose file has a made-up name, as its footage."""
    if takes.is_preview(root):
        return Sentence("Preview of {name}", name=Path(tags.text(root, tags.SOURCE)).stem)
    return Sentence(LOST, name=take.name) if is_missing else take.name


def name_of(item: RecentTake, others: Sequence[RecentTake]) -> str:
    """What a take is called in the list: as its footage, or as its file where there are several of that footage."""
    alike = sum(other.clip == item.clip for other in others)
    return item.clip if alike == 1 else Path(item.take).stem


def describe(item: RecentTake) -> str:
    """Frames, people and date of a take in one line."""
    date = time.strftime("%Y-%m-%d", time.localtime(item.date))
    return tr("{frames} frames, {people} people, {date}", frames=item.frames, people=item.people, date=date)


def _draw_import_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    if recent_takes.listed():
        menu.layout.menu(HUMAN3R_MT_recent_takes.__name__, text="Recent Human3R Takes")


CLASSES = (HUMAN3R_PT_takes, HUMAN3R_MT_recent_takes)
MENU_ENTRIES = (("TOPBAR_MT_file_import", _draw_import_menu),)
