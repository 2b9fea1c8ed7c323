# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences for people: looked up in the user's language, and broken into lines, which Blender's layouts cannot do.

Blender looks up by itself what classes and properties say of themselves, and texts that a layout is given as they
stand. What is put together, reported or refused is looked up here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import blf
import bpy
from bpy.app.translations import pgettext_iface

from ...engine.contract.sentences import Sentence

PIXELS_PER_CHARACTER = 6.3
"""What a character counts for at scale 1: one of Blender's interface font, on the wide side."""
PIXELS_BESIDE_TEXT = 58
"""What tabs and margins take from a region's width at scale 1."""
POPOVER_WIDTH = 260
"""Of a sidebar whose lines are as long as those of a panel that pops up, pixels at scale 1."""
FEWEST_CHARACTERS = 12
_FONT, _POINTS = 0, 11
"""Blender's own font, and the size of the interface's widgets at scale 1."""


def translated(text: str, look_up: Callable[[str], str] = pgettext_iface) -> str:
    """A text in the user's language, or as it is where nobody has translated it.

    Of a :class:`Sentence` the template is looked up, and so are sentences among its values. A translation that does
    not fit the values is left out.
    """
    if not isinstance(text, Sentence) or not text.values:
        return look_up(text)
    values = {
        name: translated(value, look_up) if isinstance(value, Sentence) else value
        for name, value in text.values.items()
    }
    try:
        return look_up(text.template).format_map(values)
    except (LookupError, ValueError):
        return str(text)


def tr(template: str, /, **values: object) -> str:
    """A template with its values, in the user's language."""
    return translated(Sentence(template, **values))


def draw_text(layout: bpy.types.UILayout, text: str, characters: int, icon: str = "NONE") -> None:
    """Text in the user's language over several lines, indented behind the icon."""
    indented = icon != "NONE"
    lines = wrapped(translated(text), max(FEWEST_CHARACTERS, characters - 5 * indented))
    for number, line in enumerate(lines):
        layout.label(text=line, icon="BLANK1" if indented and number else icon, translate=False)


def wrapped(text: str, characters: int) -> list[str]:
    """A text in lines that are no wider than so many characters are taken for, whatever it is written in."""
    blf.size(_FONT, _POINTS)
    most, lines = characters * PIXELS_PER_CHARACTER, list[str]()
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and _width(joined) <= most:
            lines[-1] = joined
        else:
            lines += _pieces(word, most)
    return lines


def _pieces(word: str, most: float) -> Iterator[str]:
    """A word, cut where it is too wide for a line: paths and languages without spaces are."""
    while _width(word) > most and len(word) > 1:
        fits = next(end for end in range(len(word) - 1, 0, -1) if end == 1 or _width(word[:end]) <= most)
        yield word[:fits]
        word = word[fits:]
    yield word


def _width(text: str) -> float:
    """Pixels of a text at scale 1; of the size that was set."""
    width: float = blf.dimensions(_FONT, text)[0]
    return width


def characters_across(context: bpy.types.Context) -> int:
    """How many characters fit into a line of the region that is being drawn, or of a panel that pops up over it."""
    pops_up = context.area is not None and context.area.type == "VIEW_3D" and context.region.type != "UI"
    return characters_in(POPOVER_WIDTH if pops_up else context.region.width / context.preferences.system.ui_scale)


def characters_in(width: float) -> int:
    """How many characters fit into a line of a region or popup of so many pixels at scale 1."""
    return int((width - PIXELS_BESIDE_TEXT) / PIXELS_PER_CHARACTER)
