# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a session's messages come from: a running engine, or a take on disk. Both end with a ``TakeEnd``."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ...engine.contract.messages import Failure, Frame, Message, StartCapture, TakeEnd, TakeHeader
from ...engine.contract.settings import CaptureSettings
from ...engine.contract.take import TakeReader
from . import pace
from .engine_process import EngineProcess

CANCEL_GRACE_S = 5.0


class Source(Protocol):
    """What a session reads."""

    take: Path

    def receive(self, wait_s: float) -> Message | None:
        """The next message, or None when none arrives within ``wait_s``. Raises :class:`UserError`."""

    def cancel(self) -> None:
        """Ask for the end; a ``TakeEnd`` follows."""

    def close(self) -> None:
        """Let go of what the source holds. Returns at once."""

    def log(self) -> list[str]:
        """Last lines that the other program printed."""


class EngineSource:
    """The messages of one capture by an engine."""

    def __init__(
        self, engine: EngineProcess, settings: CaptureSettings, keep_engine: bool, resume: bool = False
    ) -> None:
        """Start the capture, or go on with one that was interrupted: its messages then come from the first on.

        ``keep_engine`` leaves the process running afterwards, with its model loaded.
        """
        self.take = Path(settings.take)
        self._kind = pace.kind_of(settings) if not resume else ""
        self._began = 0.0
        self._engine = engine
        self._keep_engine = keep_engine
        self._cancel_deadline: float | None = None
        self._frames = 0
        self._over = False
        engine.start_capture(StartCapture(settings, resume))

    def receive(self, wait_s: float) -> Message | None:
        message = self._engine.receive(wait_s)
        self._frames += isinstance(message, Frame)
        self._measure(message)
        self._over = self._over or isinstance(message, TakeEnd | Failure)
        if message is None and self._cancel_deadline is not None and time.monotonic() > self._cancel_deadline:
            return TakeEnd("cancelled", self._frames, "The engine did not respond and was shut down.")
        return message

    def _measure(self, message: Message | None) -> None:
        """Keep the pace of a capture that went through from its first frame to its last message."""
        if isinstance(message, TakeHeader):
            self._began = time.monotonic()
        elif isinstance(message, TakeEnd) and message.status == "complete" and self._kind:
            pace.remember(self._kind, self._frames, time.monotonic() - self._began)

    def cancel(self) -> None:
        if self._cancel_deadline is None:
            self._cancel_deadline = time.monotonic() + CANCEL_GRACE_S
            self._engine.cancel_capture()

    def close(self) -> None:
        if not (self._keep_engine and self._over):  # else records of this capture would reach the next one
            self._engine.close_in_background()

    def log(self) -> list[str]:
        return list(self._engine.log)


class TakeSource:
    """The messages of a take, the header first. They end ``complete``, or ``incomplete`` with a note that says why."""

    def __init__(self, take: Path, limit: int | None = None) -> None:
        """``limit`` stops after so many messages. Raises :class:`UserError` (``take-unreadable``)."""
        self.take = take
        self._reader = TakeReader(take)
        self._messages: Iterator[Message] = itertools.islice(
            itertools.chain([self._reader.header], self._reader), limit
        )
        self._frames = 0
        self._cancelled = False

    def receive(self, wait_s: float = 0.0) -> Message | None:
        if self._cancelled:
            return TakeEnd("cancelled", self._frames)
        message = next(self._messages, None)
        self._frames += isinstance(message, Frame)
        if message is None:
            return TakeEnd("incomplete", self._frames, self._reader.problem or "")
        if isinstance(message, TakeEnd) and message.status != "complete":
            why = {
                "cancelled": "The capture was canceled at this point.",
                "failed": "The capture failed at this point.",
            }
            return TakeEnd("incomplete", self._frames, f"{why.get(message.status, '')} {message.note}".strip())
        return message

    def cancel(self) -> None:
        self._cancelled = True

    def close(self) -> None:
        self._reader.close()

    def log(self) -> list[str]:
        return []
