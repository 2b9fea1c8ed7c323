# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's data folder inside Blender: the extension's own user directory, which an update of it leaves alone."""

from __future__ import annotations

import os

import bpy

from ...engine.installed.locations import DATA_VARIABLE

ADDON_ID = __package__.rsplit(".", 2)[0]
"""The extension's package."""


def use_extension_folder() -> None:
    """Name the extension's user directory in ``HUMAN3R_DATA``, for this process and every child, unless it is set.

    Where the add-on does not run as an extension (the bpy wheel, a checkout) the platform's place for user data stays.
    """
    if not os.environ.get(DATA_VARIABLE) and ADDON_ID.startswith("bl_ext."):
        os.environ[DATA_VARIABLE] = bpy.utils.extension_path_user(ADDON_ID, create=True)
