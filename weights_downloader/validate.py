# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it the file, and is there room for it."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from engine.contract.errors import UserError

from .records import Figures

Progress = Callable[[int, int | None], None]
"""Called with the bytes done and in all (None: nobody knows)."""

_BLOCK = 1 << 22
_MARGIN = 1 << 20
"""Bytes to leave free, for the small files beside the large one."""


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
            f"What arrived as {name} is not a sound zip ({damaged}). It was thrown away.",
            "Run the same command again.",
        )


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raises UserError (``disk-full``) where ``folder``'s disk has less than ``needed`` bytes left."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < needed + _MARGIN:
        raise disk_full(f"{what} needs {in_words(needed)}, and {folder} has {in_words(free)} left.")


def disk_full(message: str) -> UserError:
    """The error of a disk without room."""
    return UserError(
        "disk-full",
        message,
        "Free some space, or name another folder in the environment variable "
        "HUMAN3R_DATA; the same command then goes on where it stopped.",
    )


def in_words(count: float) -> str:
    """Bytes for people."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.2f} {name}"
    return f"{count:.0f} bytes"
