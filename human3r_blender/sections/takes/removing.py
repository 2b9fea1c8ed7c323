# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleting a take's file, with the files that belong to it and to nothing else."""

from __future__ import annotations

import time
from pathlib import Path

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.contract.take import TakeReader, resume_path
from ....engine.contract.whole_file import explained_write_errors

_QUIET_S = 60.0
"""A take whose lock is there and that nobody has written to for so long was left behind by a crash."""


def remove_take(take: Path) -> None:
    """Delete a take, its resume file and what a crash left of its lock.

    Raises UserError (``take-unreadable`` for what is no take, ``take-busy``, ``take-unwritable``).
    """
    TakeReader(take).close()
    lock = Path(f"{take}.lock")
    if lock.exists() and time.time() - take.stat().st_mtime < _QUIET_S:
        raise UserError(
            "take-busy",
            "The take {take} is being written.",
            "Wait for its capture to finish, or cancel it.",
            take=take,
        )
    remedy = "Close what has the file open, and make sure that you may change its folder."
    with explained_write_errors(Sentence("{name} cannot be deleted", name=take.name), "take-unwritable", remedy):
        for path in (resume_path(take), lock, take):  # the take last: while it is there, it can be tried again
            path.unlink(missing_ok=True)
