# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling large files apart without reading all of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCKS = 64
_BLOCK = 1 << 16


def fingerprint(path: Path) -> str:
    """Eight hexadecimal digits, from the file's size and from blocks from its first byte to its last (files under 4 MB: all of it)."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as file:
        for block in range(_BLOCKS):
            file.seek(max(size - _BLOCK, 0) * block // (_BLOCKS - 1))
            digest.update(file.read(_BLOCK))
    return digest.hexdigest()[:8]
