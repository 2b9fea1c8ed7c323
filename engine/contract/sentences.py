# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences for people that remember how they were put together, so that whoever shows them can translate them."""

from __future__ import annotations


class Sentence(str):
    """A text in English, with the template that it was made of: ``Sentence("{count} people", count=3)``.

    It is an ordinary string wherever nobody asks for more. Who shows it in another language looks the template up and
    puts the values into what was found (`human3r_blender/blender/text.py: translated`). A sentence stays what it is.
    """

    template: str
    """The text with names in braces where values go."""
    values: dict[str, str]
    """What goes there; a sentence among them is looked up by itself."""

    def __new__(cls, template: str, /, **values: object) -> Sentence:
        if isinstance(template, Sentence):
            return template
        words = {name: value if isinstance(value, Sentence) else str(value) for name, value in values.items()}
        made = super().__new__(cls, template.format_map(words) if words else template)
        made.template, made.values = template, words
        return made


def printable(text: str) -> str:
    """A text for a terminal: what would move its cursor or change its colors is spelt out, lines stay lines."""
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)
