# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a task is, in the words of the farm that runs it: lines on standard output, at most one message a second."""

from __future__ import annotations

import contextlib
import time
from typing import BinaryIO

from ..contract.errors import UserError
from ..contract.messages import Frame, Message, Status, TakeHeader
from ..contract.sentences import printable
from ..standard_streams import say_error

FORMS = {
    "plain": "lines for people, as Slurm and lists of commands keep them",
    "openjd": "progress, status and failure as Open Job Description has them (Deadline Cloud)",
    "flamenco": "lines for Flamenco's log of a task",
}
_EVERY_S = 1.0
_LAST_PASS_PERCENT = 95.0
"""Where the frames end, and the last look at the whole clip begins."""


class Teller:
    """Tells of one clip after the other."""

    def __init__(self, stdout: BinaryIO, form: str) -> None:
        self._stdout, self._form = stdout, form
        self._clips, self._number, self._label = 1, 0, ""
        self._total: int | None = None
        self._next = 0.0

    def begin(self, number: int, clips: int, label: str) -> None:
        """The next clip, counted from 0, of so many."""
        self._number, self._clips, self._label, self._total = number, clips, label, None

    def hear(self, message: Message) -> None:
        """Tell of a message of the engine, if it is time to."""
        if isinstance(message, TakeHeader):
            self._total = message.frame_count
        elif isinstance(message, Frame):
            done = message.index + 1
            share = done / self._total if self._total else 0.0
            of = f" of {self._total}" if self._total else ""
            self._tell(f"frame {done}{of}, {len(message.track_id)} people", _LAST_PASS_PERCENT * min(share, 1.0))
        elif isinstance(message, Status):
            percent = _LAST_PASS_PERCENT if message.phase in ("refining", "finishing") else None
            self._tell(message.text, percent)

    def end(self, text: str) -> None:
        """The last word on a clip, always told."""
        self._next = 0.0
        self._tell(text, 100.0)
        self._next = 0.0

    def fail(self, error: UserError) -> None:
        """An error, for people and for the farm."""
        say_error(error)
        if self._form == "openjd":
            self._write(f"openjd_fail: {error.message} {error.remedy}")

    def _tell(self, text: str, percent: float | None) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        where = f"{self._label}, clip {self._number + 1} of {self._clips}: " if self._clips > 1 else ""
        if self._form != "openjd":
            self._write(where + text)
            return
        if percent is not None:
            self._write(f"openjd_progress: {(100.0 * self._number + percent) / self._clips:.1f}")
        self._write(f"openjd_status: {where}{text}")

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._stdout.write(printable(" ".join(line.split())).encode("utf-8") + b"\n")
            self._stdout.flush()
