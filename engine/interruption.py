# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping: a signal or another thread asks, the main thread stops at once in long computations and nowhere else.

A step of the full-size model can take many seconds on a CPU. Python's own handling of signals reaches into it (between
any two operations) but would as readily cut a record in half. So long work runs inside `Interruption.allowed`, where a
request raises `Interrupted` on the spot; everywhere else it only sets `requested`, to be looked at between frames.
"""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from .contract.exit_codes import FAILED
from .contract.stop_signals import handle_stop_signals

GRACE_S = 4.0
"""Seconds from `end_process_soon` to the end of the process, whatever it is doing then."""


class Interrupted(BaseException):
    """Raised inside `Interruption.allowed` when a stop is requested. Not an Exception: no library may swallow it."""


class Interruption:
    """One per process, made in the main thread; takes over the signals that ask for a stop."""

    def __init__(self) -> None:
        self.requested = False
        """Whether to stop what is being done."""
        self.signalled = False
        """Whether a signal from outside asked for it: then the process should end too."""
        self._allowed = False
        self._nudged = False
        handle_stop_signals(self._handle)

    def request(self) -> None:
        """Ask the main thread to stop what it is doing; from any thread."""
        if self.requested:
            return
        self._nudged = True
        self.requested = True
        _thread.interrupt_main(signal.SIGINT)

    def clear(self) -> None:
        """Forget a request that was honoured, unless it is to end the process."""
        self.requested = self.signalled

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Long work that may be cut anywhere, because what it leaves behind is thrown away then."""
        self._allowed = True
        try:
            if self.requested:
                raise Interrupted
            yield
        finally:
            self._allowed = False

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        # Runs in the main thread between two bytecodes, so that nothing can come between the test and the raise.
        if self._nudged:
            self._nudged = False
        else:
            self.requested = self.signalled = True
        if self._allowed and self.requested:
            self._allowed = False
            raise Interrupted


def end_process_soon() -> None:
    """End this process after a grace period even when its main thread is stuck: nobody listens any more.

    The take is valid after every record, so ending in the middle of a computation loses nothing that was finished.
    """
    timer = threading.Timer(GRACE_S, os._exit, (FAILED,))
    timer.daemon = True
    timer.start()
