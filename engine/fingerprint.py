# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling large files apart without reading all of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCKS = 64
_BLOCK = 1 << 16


def fingerprint(path: Path) -> str:
    """Eight hexadecimal digits, of the size and of blocks from the first byte to the last (all bytes up to 4 MB)."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as file:
        for block in range(_BLOCKS):
            file.seek(max(size - _BLOCK, 0) * block // (_BLOCKS - 1))
            digest.update(file.read(_BLOCK))
    return digest.hexdigest()[:8]
