# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in Blender's layouts, which know no line breaks."""

import textwrap

import bpy

PIXELS_PER_CHARACTER = 6.3
"""Of Blender's interface font at scale 1, on the wide side, so that wrapped lines are not cut off."""
PIXELS_BESIDE_TEXT = 50
"""What tabs and margins take from a region's width at scale 1."""
FEWEST_CHARACTERS = 16


def draw_text(layout: bpy.types.UILayout, text: str, characters: int, icon: str = "NONE") -> None:
    """Text over several lines, indented behind the icon."""
    indented = icon != "NONE"
    for number, line in enumerate(textwrap.wrap(text, max(FEWEST_CHARACTERS, characters - 5 * indented))):
        layout.label(text=line, icon="BLANK1" if indented and number else icon)


def characters_across(context: bpy.types.Context) -> int:
    """How many characters fit into a line of the region that is being drawn."""
    return characters_in(context.region.width / context.preferences.system.ui_scale)


def characters_in(width: float) -> int:
    """How many characters fit into a line of a region or popup of so many pixels at scale 1."""
    return int((width - PIXELS_BESIDE_TEXT) / PIXELS_PER_CHARACTER)
