# SPDX-License-Identifier: GPL-3.0-or-later
"""What names of files mean on every system."""

from __future__ import annotations

import re

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
