# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a child process: framed requests come in, framed messages go out, one capture after the other.

A thread reads the requests, so that a cancel is seen at once; the main thread runs the captures. When the other end of
standard input is gone, so is the reason to go on: the engine ends within seconds, whatever it is doing.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from typing import BinaryIO

from .capture import run_capture
from .contract.errors import UserError
from .contract.exit_codes import CANCELLED, DONE, FAILED
from .contract.framing import CorruptRecord, read_record, write_record
from .contract.logs import log
from .contract.message_records import decode, encode
from .contract.messages import CancelCapture, Failure, Message, Shutdown, StartCapture, TakeEnd
from .interruption import Interrupted, Interruption, end_process_soon
from .supply import ModelShelf

_WAKE_S = 0.5
"""Windows hands a signal to the main thread only between two waits: so none is longer than this."""

_BAD_REQUEST = "Make sure that the add-on and the engine have the same version, then start the capture again."


def serve(requests: BinaryIO, replies: BinaryIO) -> int:
    """Serve until `Shutdown`, the end of `requests`, or a signal; returns the exit code."""
    interruption = Interruption()
    # A descriptor of our own, unbuffered: a thread that waits in Python's stdin would hold up the end of the process.
    inbox = _Inbox(os.fdopen(os.dup(requests.fileno()), "rb", buffering=0), interruption)
    threading.Thread(target=inbox.read, name="requests", daemon=True).start()
    shelf = ModelShelf()
    log.info("serving as process %d", os.getpid())
    while True:
        try:
            with interruption.allowed():
                item = inbox.next()
        except Interrupted:
            return CANCELLED
        if item is None:
            return DONE
        if isinstance(item, Failure):
            _send(replies, item)
            return FAILED
        number, request = item
        if not inbox.begin(number):
            _send(replies, TakeEnd("cancelled", 0))
            continue
        _capture(request, replies, interruption, shelf)
        inbox.done()


class _Inbox:
    """The requests so far. `items` has captures to run with their numbers, a Failure to report, or None to end."""

    def __init__(self, stream: BinaryIO, interruption: Interruption) -> None:
        self.items: queue.Queue[tuple[int, StartCapture] | Failure | None] = queue.Queue()
        self._stream = stream
        self._interruption = interruption
        self._lock = threading.Lock()
        self._asked = 0
        self._cancelled = 0
        self._running = 0

    def next(self) -> tuple[int, StartCapture] | Failure | None:
        """Wait for the next of `items`, in pieces that a signal can come between."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self.items.get(timeout=_WAKE_S)

    def begin(self, number: int) -> bool:
        """The main thread starts a capture; False when it was cancelled before."""
        with self._lock:
            cancelled = number <= self._cancelled
            self._running = 0 if cancelled else number
            return not cancelled

    def done(self) -> None:
        """The main thread ended a capture."""
        with self._lock:
            self._running = 0
            self._interruption.clear()

    def read(self) -> None:
        """Read requests until there are no more; the thread's work."""
        try:
            while (record := read_record(self._stream)) is not None:
                request = decode(record)
                if isinstance(request, Shutdown):
                    break
                self._take(request)
        except (CorruptRecord, OSError) as error:
            self.items.put(Failure("bad-request", f"The engine received an unreadable request: {error}.", _BAD_REQUEST))
        except UserError as error:
            self.items.put(Failure.of(error))
        self._cancel_all()
        self.items.put(None)
        end_process_soon()

    def _take(self, request: Message) -> None:
        if isinstance(request, StartCapture):
            self._asked += 1
            self.items.put((self._asked, request))
        elif isinstance(request, CancelCapture):
            self._cancel_all()

    def _cancel_all(self) -> None:
        """Cancel the running capture and those that wait."""
        with self._lock:
            self._cancelled = self._asked
            if self._running:
                self._interruption.request()


def _capture(request: StartCapture, replies: BinaryIO, interruption: Interruption, shelf: ModelShelf) -> None:
    """Run one capture and stream it; whatever goes wrong becomes one `Failure`."""

    def send(message: Message) -> None:
        _send(replies, message)

    try:
        run_capture(request.settings, send, interruption, shelf, request.resume)
    except UserError as error:
        send(Failure.of(error))
    except Exception as error:
        log.exception("The capture failed")
        send(
            Failure(
                "engine-failed",
                f"The engine stopped with an unexpected error: {type(error).__name__}: {error}",
                "Start the capture again. If it happens again, report it with the engine's log.",
            )
        )


def _send(replies: BinaryIO, message: Message) -> None:
    """Write one message; nobody may be listening any more, and the take is on the disk anyway.

    A pipe whose other end is closed is a BrokenPipeError on most systems and any other OSError on Windows.
    """
    with contextlib.suppress(OSError):
        write_record(replies, encode(message))
