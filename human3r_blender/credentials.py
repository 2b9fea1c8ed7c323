# SPDX-License-Identifier: GPL-3.0-or-later
"""User name and password for SMPL-X's site, between typing and the download: in this process's memory only.

The properties that the dialog shows read and write the variables here and have no storage of their own, so that
neither a .blend nor the preferences nor an undo step can hold them.
"""

from __future__ import annotations

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


def _write(name: str, value: str) -> None:
    _typed[name] = value


def register() -> None:
    bpy.types.WindowManager.human3r_body_user = StringProperty(
        name="User Name", options={"SKIP_SAVE"},
        description="Your user name, often your e-mail address, at smpl-x.is.tue.mpg.de. It is not stored",
        get=lambda _: _typed["user"], set=lambda _, value: _write("user", value))
    bpy.types.WindowManager.human3r_body_password = StringProperty(
        name="Password", subtype="PASSWORD", options={"SKIP_SAVE"},
        description="Your password at smpl-x.is.tue.mpg.de. It is sent to that site, and stored nowhere",
        get=lambda _: _typed["password"], set=lambda _, value: _write("password", value))


def unregister() -> None:
    clear()
    del bpy.types.WindowManager.human3r_body_password
    del bpy.types.WindowManager.human3r_body_user
