# SPDX-License-Identifier: GPL-3.0-or-later
"""The place of a take on the disk: nothing else is lost by writing there, and one process at a time does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import SoftFileLock, Timeout

from ..contract.errors import UserError
from ..contract.framing import MAGIC
from ..contract.sentences import Sentence
from ..contract.settings import CaptureSettings
from ..contract.whole_file import explained_write_errors


@contextmanager
def claimed(settings: CaptureSettings) -> Iterator[None]:
    """Hold the place of a capture's take: ``OUT.h3r.lock`` names the process, and is stale once that has ended.

    Raises UserError: ``take-is-footage``, ``not-a-take``, ``take-busy``, ``take-unwritable``, ``disk-full``.
    """
    take = Path(settings.take)
    refuse_what_is_no_take(take, settings.source)
    lock = SoftFileLock(f"{take}.lock")
    with explained_write_errors(Sentence("The take {path} cannot be written", path=take), "take-unwritable"):
        take.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise _busy(take, lock.pid) from None
    try:
        yield
    finally:
        lock.release()


def refuse_what_is_no_take(take: Path, source: str) -> None:
    """Raises UserError (``take-is-footage``, ``not-a-take``) for files that nobody means to be replaced by a take."""
    if not take.is_file():
        return
    if Path(source).is_file() and take.samefile(source):
        raise UserError(
            "take-is-footage",
            "The take {take} is the footage itself.",
            "Give the take another name, such as {name}.",
            take=take,
            name=take.with_suffix(".h3r").name,
        )
    with take.open("rb") as file:
        begins = file.read(len(MAGIC))
    if begins not in (b"", MAGIC):
        raise UserError(
            "not-a-take",
            "{take} exists and is not a take, so it is not replaced.",
            "Give the take another name, or move that file away.",
            take=take,
        )


def _busy(take: Path, process: int | None) -> UserError:
    return UserError(
        "take-busy",
        "The take {take} is being written already, by process {process}.",
        "Wait for it to finish or end it, or give the take another name. If that process was on another computer and "
        "has ended, delete {lock}.",
        take=take,
        process=process or "?",
        lock=f"{take.name}.lock",
    )
