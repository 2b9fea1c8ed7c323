# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are called, in takes and in scenes."""

from __future__ import annotations

from .errors import UserError

LONGEST = 48
"""Bytes of a name in UTF-8: with what Blender's data-blocks add to it (` mesh`, ` contacts`, `.001`) it stays below 63,
where Blender before 5.0 cuts names off."""


def numbered_name(track_id: int) -> str:
    """What a person is called to whom nobody has given a name."""
    return f"Person {track_id + 1:02d}"


def checked_name(text: str) -> str:
    """A name without the spaces around it. Raises UserError (``bad-name``) where it can be none."""
    name = text.strip()
    if not name or not name.isprintable() or len(name.encode("utf-8", "replace")) > LONGEST:
        raise UserError(
            "bad-name",
            "{text} cannot be used as a person's name.",
            "Enter 1 to {longest} letters on one line; letters outside the English alphabet count as two or more.",
            text=repr(text),
            longest=LONGEST,
        )
    return name
