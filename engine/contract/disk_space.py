# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a disk has room, and the one error where it has none: ``disk-full``."""

from __future__ import annotations

import errno
import re
import shutil
from pathlib import Path

from .errors import UserError
from .sentences import Sentence

DISK_FULL = "disk-full"
"""The error's code, whoever met it."""

_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAID = re.compile(
    r"no space left|not enough space|disk is full|disk quota|file too large|os error (28|112)\b|errno 28\b",
    re.IGNORECASE,
)
"""What programs and libraries say that keep the system's number to themselves."""

_MARGIN = 1 << 20
"""Bytes to leave free, for the small files beside the large one."""


def is_full(problem: BaseException | str) -> bool:
    """Whether an error, or a text that a program ended with, tells of a disk (or a user's share of it) without room."""
    if isinstance(problem, OSError) and problem.errno is not None:
        return problem.errno in _ERRNOS
    return _SAID.search(str(problem)) is not None


def require_space(folder: Path, needed: int, what: str, remedy: str) -> None:
    """Raises UserError (``disk-full``) where `folder`'s disk, or where it will be, has less than `needed` bytes."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < needed + _MARGIN:
        raise UserError(
            DISK_FULL,
            "{what} needs {needed}, but only {free} are free in {folder}.",
            Sentence(remedy),
            what=Sentence(what),
            needed=in_words(needed),
            free=in_words(free),
            folder=folder,
        )


def in_words(count: float) -> str:
    """Bytes for people."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.2f} {name}"
    return f"{count:.0f} bytes"
