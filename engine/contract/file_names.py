# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that files can have on every system."""

from __future__ import annotations

import re

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def not_reserved(stem: str) -> str:
    """A file's name without its ending; one that Windows keeps for a device (``aux``) gets a sign more."""
    return f"{stem}_" if _RESERVED.fullmatch(stem) else stem
