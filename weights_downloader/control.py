# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard input: answers to questions first, then the other program's wish to stop.

Cancelling is one thing wherever it comes from: KeyboardInterrupt in the main thread.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import stat
import sys
import threading

from engine.contract.stop_signals import handle_stop_signals

_MAX_LINE = 4096


class Control:
    """Made once, in the main thread, before anything takes long."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._is_pipe = False
        with contextlib.suppress(OSError, ValueError, AttributeError):  # there may be no standard input at all
            # A descriptor of our own: a thread that waits in Python's stdin would hold up the end of the process.
            self._descriptor = os.dup(sys.stdin.fileno())
            mode = os.fstat(self._descriptor).st_mode
            self._is_pipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        handle_stop_signals(signal.default_int_handler)

    @property
    def is_terminal(self) -> bool:
        """Whether somebody sits there who can be asked."""
        return self._descriptor is not None and os.isatty(self._descriptor)

    def read_line(self) -> str:
        """One line without its end; "" when there is none. Reads not a byte more."""
        line = b""
        while self._descriptor is not None and len(line) < _MAX_LINE:
            byte = os.read(self._descriptor, 1)
            if byte in (b"", b"\n"):
                break
            line += byte
        return line.decode("utf-8", "replace").rstrip("\r")

    def watch(self) -> None:
        """From now on the line ``cancel``, or the end of the input, cancels. Only a pipe counts: somebody holds it."""
        if self._is_pipe:
            threading.Thread(target=self._wait_for_the_end, name="control", daemon=True).start()

    def _wait_for_the_end(self) -> None:
        while self._descriptor is not None:
            byte = b""
            with contextlib.suppress(OSError):
                byte = os.read(self._descriptor, 1)
            line = byte.decode("utf-8", "replace") + self.read_line() if byte not in (b"", b"\n") else ""
            if not byte or line.strip() == "cancel":
                _interrupt_main_thread()
                return


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # reaches it in the middle of waiting for the network, too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:  # on Windows when that wait is over, in seconds
        _thread.interrupt_main(signal.SIGINT)
