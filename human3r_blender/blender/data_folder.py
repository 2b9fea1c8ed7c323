# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's data folder inside Blender: the extension's own user directory, which an update of it leaves alone."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from ...engine.installed.locations import DATA_VARIABLE

ADDON_ID = __package__.rsplit(".", 2)[0]
"""The extension's package."""
_STORE_FOLDER = "WindowsApps"
_STORE_DATA = "Human3R"
"""In the user's own folder."""


def use_extension_folder() -> None:
    """Name the extension's user directory in ``HUMAN3R_DATA``, for this process and every child, unless it is set.

    Where the add-on does not run as an extension (the bpy wheel, a checkout) the platform's place for user data stays.
    """
    if not os.environ.get(DATA_VARIABLE) and ADDON_ID.startswith("bl_ext."):
        own = Path(bpy.utils.extension_path_user(ADDON_ID, create=True))
        os.environ[DATA_VARIABLE] = str(chosen(bpy.app.binary_path, own, Path.home()))


def chosen(blender: str, own: Path, home: Path) -> Path:
    """The extension's directory `own`, unless this Blender came from the Microsoft Store.

    Windows gives such a program a private copy of the user's application data, which the engine may not see. Then it is
    a folder in `home`; what is installed already stays where it is.
    """
    is_from_store = _STORE_FOLDER in blender.replace("\\", "/").split("/")
    return home / _STORE_DATA if is_from_store and not (own / "engine" / "installed.json").exists() else own
