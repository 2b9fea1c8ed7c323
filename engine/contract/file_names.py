# SPDX-License-Identifier: GPL-3.0-or-later
"""What names of files mean on every system."""

from __future__ import annotations

import re
import sys
from pathlib import Path

IS_WINDOWS = sys.platform == "win32"
LONG = "\\\\?\\"
"""Before a path, it lets Windows take any length."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def not_reserved(stem: str) -> str:
    """A file's name without its ending; one that Windows keeps for a device (``aux``) gets a sign more."""
    return f"{stem}_" if _RESERVED.fullmatch(stem) else stem


def is_remote(path: str) -> bool:
    """Whether a path names another computer: ``\\\\host\\share\\clip.mp4``, or the same with slashes."""
    return path.replace("/", "\\").startswith("\\\\")


def name_alone(path: str) -> str:
    """A path's last part, whatever system it is of."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def long_path(path: Path) -> str:
    """A path as the system takes it whatever its length: Windows ends at 260 characters unless told otherwise."""
    if not IS_WINDOWS:
        return str(path)
    whole = str(path.absolute())
    if whole.startswith(LONG):
        return whole
    return f"{LONG}UNC{whole[1:]}" if is_remote(whole) else LONG + whole
