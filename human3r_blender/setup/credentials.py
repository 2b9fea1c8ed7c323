# SPDX-License-Identifier: GPL-3.0-or-later
"""User name and password for SMPL-X's site, between typing and the download: in this process's memory only.

The dialog's fields read and write the variables here and have no storage of their own, so that neither a .blend nor the
preferences nor an undo step can hold them. Both have the subtype of passwords: Blender lists every other edit of a
field, with what was typed, in its Info editor.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

_typed = {"user": "", "password": ""}


def take() -> tuple[str, str]:
    """User name and password; afterwards they are forgotten here."""
    pair = _typed["user"], _typed["password"]
    clear()
    return pair


def clear() -> None:
    for name in _typed:
        _typed[name] = ""


def user() -> str:
    """The user name as typed so far, to be shown."""
    return _typed["user"]


def field(name: str, title: str, description: str) -> Any:
    """A text property for an operator: ``user`` or ``password``."""

    def write(_: bpy.types.Operator, value: str) -> None:
        _typed[name] = value

    return StringProperty(
        name=title,
        description=description,
        subtype="PASSWORD",
        options={"SKIP_SAVE"},
        get=lambda _: _typed[name],
        set=write,
    )
