# SPDX-License-Identifier: GPL-3.0-or-later
"""The place of a take on the disk: nothing else is lost by writing there, and one process at a time does.

Workers of a farm share the disk and cannot see each other's processes. So whoever holds a place gives signs of life
(the lock's time on the disk), and a place whose holder was silent for :data:`SILENCE_S` may be taken over. A holder
that only slept, as a computer does, finds out before the next record that it has lost the place (:meth:`Claim.check`),
and the next one goes on with a copy of the take: a file that the sleeper still has open is nobody's any more.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import SoftFileLock, Timeout

from ..contract.errors import UserError
from ..contract.framing import MAGIC
from ..contract.sentences import Sentence
from ..contract.settings import CaptureSettings
from ..contract.whole_file import explained_write_errors, whole_file

SILENCE_S = 600.0
"""So long without a sign of life, and the place of a take may be taken over."""

BEAT_S = 30.0
"""Between two signs of life: many of them may be lost on the way to a busy disk."""


class Claim:
    """The place of a take, while this process holds it."""

    def __init__(self, take: Path) -> None:
        self._take, self._lock = take, lock_path(take)
        self._mine = self._lock.read_bytes()

    def check(self) -> None:
        """Raises UserError (``take-lost``) when the place was taken over, for this process was silent too long."""
        try:
            is_mine = self._lock.read_bytes() == self._mine
        except FileNotFoundError:
            is_mine = False
        except OSError:  # a disk that is gone for an instant is another matter
            return
        if not is_mine:
            raise UserError(
                "take-lost",
                "The take {take} was taken over by another process, because this one gave no sign of life for "
                "{minutes} minutes.",
                "Wait for that process, or start again when it has ended.",
                take=self._take,
                minutes=round(SILENCE_S / 60),
            )

    def beat(self, ended: threading.Event) -> None:
        """Give signs of life until `ended`; a thread's work."""
        while not ended.wait(BEAT_S):
            with contextlib.suppress(OSError, UserError):
                self.check()
                os.utime(self._lock)


def lock_path(take: Path) -> Path:
    """Where a take's lock lies: host and process of the holder, and as the file's time the last sign of life."""
    return Path(f"{take}.lock")


@contextmanager
def claimed(settings: CaptureSettings) -> Iterator[Claim]:
    """Hold the place of a capture's take: ``OUT.h3r.lock`` names the process, and is stale once that has ended.

    Raises UserError: ``take-is-footage``, ``not-a-take``, ``take-busy``, ``take-unwritable``, ``disk-full``.
    """
    take = Path(settings.take)
    refuse_what_is_no_take(take, settings.source)
    lock = SoftFileLock(lock_path(take))
    with explained_write_errors(Sentence("The take {path} cannot be written", path=take), "take-unwritable"):
        take.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, take)
        claim = Claim(take)
    ended = threading.Event()
    beating = threading.Thread(target=claim.beat, args=(ended,), name="signs of life", daemon=True)
    beating.start()
    try:
        yield claim
    finally:
        ended.set()
        beating.join()
        lock.release()


def _acquire(lock: SoftFileLock, take: Path) -> None:
    """Take the lock, or that of a silent process. Raises UserError (``take-busy``), OSError."""
    with contextlib.suppress(Timeout):
        lock.acquire(timeout=0)
        return
    taken_over = _moved_aside(lock_path(take))
    try:
        if not taken_over:
            raise Timeout(lock.lock_file)
        lock.acquire(timeout=0)
        if take.is_file():
            with whole_file(take) as copy:
                shutil.copyfile(take, copy)
    except Timeout:
        raise _busy(take, lock.pid) from None
    except BaseException:
        lock.release()
        raise


def _moved_aside(lock: Path) -> bool:
    """Whether the lock of a silent process was moved out of the way.

    The file that was moved must be the one that was looked at: somebody else may have taken over in between.
    """
    aside = lock.with_name(f"{lock.name}.silent-{secrets.token_hex(8)}")
    try:
        seen = lock.stat()
        if _now_on_disk(lock.parent) - seen.st_mtime < SILENCE_S:
            return False
        lock.rename(aside)
        if not os.path.samestat(aside.stat(), seen) or aside.stat().st_mtime != seen.st_mtime:
            lock.hardlink_to(aside)  # fails where there is a third one, and then its holder finds out
            return False
        return True
    except OSError:
        return False
    finally:
        aside.unlink(missing_ok=True)


def _now_on_disk(folder: Path) -> float:
    """The time by the clock of the disk that holds the locks, which need not be this computer's."""
    with tempfile.NamedTemporaryFile(prefix=".human3r-", dir=folder) as probe:
        return os.stat(probe.name).st_mtime  # noqa: PTH116


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
