# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it the file, and is there room for it."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from engine.contract.errors import UserError

from .records import Figures

Progress = Callable[[int, int | None], None]
"""Called with the bytes done and in all (None: nobody knows)."""

_BLOCK = 1 << 22


def measure(path: Path, progress: Progress | None = None) -> Figures:
    """Size and SHA-256 of a file. Raises OSError."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress(done, total)
    return Figures(done, digest.hexdigest())


def require_sound_zip(path: Path, name: str) -> None:
    """Read all members of a zip against their checksums. Raises UserError (``archive-damaged``)."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        damaged = str(error)
    if damaged is not None:
        raise UserError(
            "archive-damaged",
            "The downloaded zip file {name} is damaged ({damaged}). It was deleted.",
            "Run the same command again.",
            name=name,
            damaged=damaged,
        )
