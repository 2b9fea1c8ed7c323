# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the user's things lie: weights, the body, downloads, the engine, rig presets. No other file knows.

Each function asks the environment anew, so that Blender (or a test) can set ``HUMAN3R_DATA`` at any time before. None
of them creates a folder. Standard library only: Blender's Python, the engine's and a bare one import this file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

DATA_VARIABLE = "HUMAN3R_DATA"
"""Environment variable that names the data folder; Blender sets it to the extension's own user directory."""

_FOLDER_NAME = "human3r-blender"


def data_folder() -> Path:
    """The folder of everything below: ``HUMAN3R_DATA``, else ``human3r-blender`` in the platform's place for user data.

    That place is ``XDG_DATA_HOME`` or ``~/.local/share`` on Linux, ``~/Library/Application Support`` on macOS and
    ``LOCALAPPDATA`` on Windows. Always an absolute path.
    """
    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else _user_data() / _FOLDER_NAME


def weights_folder() -> Path:
    """Converted checkpoints, ready to load: ``896L.safetensors`` with its manifest ``896L.json``."""
    return data_folder() / "weights"


def downloads_folder() -> Path:
    """The original files as their publishers serve them, and unfinished ones (``*.part``)."""
    return data_folder() / "downloads"


def body_path() -> Path:
    """The SMPL-X body file that the user installed; the mannequin serves where it is absent."""
    return data_folder() / "body" / "SMPLX_NEUTRAL.npz"


def cameras_folder() -> Path:
    """Camera files that were written of cameras in Blender, ``*.npz``."""
    return data_folder() / "cameras"


def rig_presets_folder() -> Path:
    """The user's own rig presets for retargeting, ``*.json``."""
    return data_folder() / "rig-presets"


def records_path() -> Path:
    """Sizes and hashes of what was downloaded, as they were the first time."""
    return data_folder() / "records.json"


def _user_data() -> Path:
    if sys.platform == "win32":
        return _absolute("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return _absolute("XDG_DATA_HOME") or Path.home() / ".local" / "share"


def _absolute(variable: str) -> Path | None:
    """The path in an environment variable; one that is not absolute does not count (XDG Base Directory)."""
    path = Path(os.environ.get(variable, ""))
    return path if path.is_absolute() else None
