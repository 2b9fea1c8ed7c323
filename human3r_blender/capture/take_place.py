# SPDX-License-Identifier: GPL-3.0-or-later
"""Where takes lie: in the folder that the preferences name, else beside the .blend file, else beside the footage."""

from __future__ import annotations

import os
import time
from pathlib import Path

import bpy

from ..blender.data_folder import ADDON_ID
from ..blender.paths import absolute
from ..setup import choices
from . import recent_takes


def new_take(source: str) -> Path:
    """A file for the next take of some footage, which is not there yet."""
    folder = folder_for(source)
    stem = Path(source).stem.translate(str.maketrans("%#", "__")) or "take"
    stem = f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    tries = (folder / f"{stem}{'' if number == 1 else f'-{number}'}.h3r" for number in range(1, 1000))
    return next(path for path in tries if not path.exists())


def browsed_first(source: str) -> str:
    """What a file browser is to begin with: the folder of takes, and no file in it."""
    return f"{folder_of_takes(source)}{os.sep}"


def folder_of_takes(source: str) -> Path:
    """Where to look for takes: where the last one lies, else where the next one will."""
    found = [Path(item.take).parent for item in recent_takes.present()[:1]]
    return next((folder for folder in found if folder.is_dir()), None) or folder_for(absolute(source))


def folder_for(source: str) -> Path:
    """The folder of new takes of some footage. The one that the preferences name is made by whoever writes there.

    Where the file or the footage lies in a place that cannot be written to, such as a camera's card, it is the folder
    that Blender keeps for what an extension writes.
    """
    if chosen := absolute(choices.chosen().take_folder):
        return Path(chosen)
    beside = [Path(place).parent for place in (bpy.data.filepath, source) if place]
    for folder in beside:
        if folder.is_dir() and os.access(folder, os.W_OK):
            return folder
    return Path(bpy.utils.extension_path_user(ADDON_ID, path="takes", create=True))
