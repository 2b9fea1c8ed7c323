# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program says while it works: lines of JSON for programs, text for people."""

from __future__ import annotations

import collections
import contextlib
import json
import sys
import time
from typing import Any, BinaryIO, Protocol

from engine.contract.disk_space import in_words
from engine.contract.errors import UserError

_EVENT_EVERY_S = 0.25
_LINE_EVERY_S = 10.0
_RATE_WINDOW_S = 5.0


class Reporter(Protocol):
    """Where the work's news go."""

    name: str
    """The item that they are about."""

    def stage(self, name: str) -> None:
        """``waiting`` (for another process), ``download``, ``busy`` (the server asks to wait), ``verify``,
        ``convert`` or ``install`` begins."""

    def progress(self, done: int, total: int | None) -> None:
        """Bytes of this stage, done and in all."""

    def note(self, text: str) -> None:
        """Something worth knowing that stops nothing."""

    def line(self, text: str) -> None:
        """The answer for people."""

    def event(self, kind: str, **fields: Any) -> None:
        """The answer for programs."""

    def error(self, error: UserError) -> None:
        """The end, if it is a bad one."""


class _Meter:
    """Bytes a second over the last seconds, and when the next report is due."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._samples: collections.deque[tuple[float, int]] = collections.deque()
        self._next = 0.0

    def restart(self) -> None:
        self._samples.clear()
        self._next = 0.0

    def due(self, done: int, total: int | None) -> float | None:
        """The rate, where it is time to tell; None else."""
        now = time.monotonic()
        self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[0][0] > _RATE_WINDOW_S:
            self._samples.popleft()
        if now < self._next and done != total:
            return None
        self._next = now + self._every_s
        begun, first = self._samples[0]
        return max(0.0, (done - first) / (now - begun)) if now > begun else 0.0


class JsonReporter:
    """One JSON object a line on standard output; notes go to standard error."""

    def __init__(self, stream: BinaryIO, name: str = "") -> None:
        self._stream, self.name = stream, name
        self._meter = _Meter(_EVENT_EVERY_S)

    def stage(self, name: str) -> None:
        self._meter.restart()
        self.event("stage", name=self.name, stage=name)

    def progress(self, done: int, total: int | None) -> None:
        rate = self._meter.due(done, total)
        if rate is not None:
            self.event("progress", name=self.name, done=done, total=total, bytes_per_s=round(rate))

    def note(self, text: str) -> None:
        _say(text)

    def line(self, text: str) -> None:
        pass

    def event(self, kind: str, **fields: Any) -> None:
        with contextlib.suppress(OSError):  # nobody reads any more; the work goes on
            self._stream.write(json.dumps({"event": kind} | fields).encode("utf-8") + b"\n")
            self._stream.flush()

    def error(self, error: UserError) -> None:
        self.event("error", name=self.name, **error.as_dict())


class TextReporter:
    """Answers on standard output, progress and errors on standard error; one line that changes, on a terminal."""

    def __init__(self, stream: BinaryIO, name: str = "") -> None:
        self._stream, self.name = stream, name
        self._terminal = sys.stderr.isatty()
        self._meter = _Meter(_EVENT_EVERY_S if self._terminal else _LINE_EVERY_S)
        self._stage = ""
        self._open_line = False

    def stage(self, name: str) -> None:
        self._meter.restart()
        self._stage = name
        self.note(f"{self.name}: {name} ...")

    def progress(self, done: int, total: int | None) -> None:
        rate = self._meter.due(done, total)
        if rate is None:
            return
        text = f"{self.name}: {self._stage} {in_words(done)}"
        if total is not None:
            text += f" of {in_words(total)}"
        if rate > 0:
            text += f", {in_words(rate)}/s"
            if total is not None:
                text += f", {(total - done) / rate:.0f} s left"
        _say("\r" + text.ljust(78) if self._terminal else text, end="" if self._terminal else "\n")
        self._open_line = self._terminal

    def note(self, text: str) -> None:
        self._end_line()
        _say(text)

    def _end_line(self) -> None:
        if self._open_line:
            _say("")
            self._open_line = False

    def line(self, text: str) -> None:
        self._end_line()
        with contextlib.suppress(OSError):
            self._stream.write(text.encode("utf-8") + b"\n")
            self._stream.flush()

    def event(self, kind: str, **fields: Any) -> None:
        pass

    def error(self, error: UserError) -> None:
        self.note(f"error [{error.code}]: {error.message}\nremedy: {error.remedy}")


def _say(text: str, end: str = "\n") -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, end=end, flush=True)
