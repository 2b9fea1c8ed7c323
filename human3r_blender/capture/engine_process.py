# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a child process: found, started, spoken to, watched and ended.

The engine reads requests from its standard input and answers on its standard output, both as framed messages; what
it and its libraries print goes to standard error and is kept as a log. A thread reads the messages into a bounded
queue: when Blender is slow the queue fills, the pipe fills, and the engine waits. Closing its standard input ends the
engine, which the system does for us should Blender crash.
"""

from __future__ import annotations

import collections
import contextlib
import queue
import subprocess
import threading
import time
from pathlib import Path

from ...engine.contract.errors import UserError
from ...engine.contract.framing import CorruptRecord, TruncatedRecord, read_record, write_record
from ...engine.contract.logs import log
from ...engine.contract.message_records import decode, encode
from ...engine.contract.messages import CancelCapture, Message, Shutdown, StartCapture
from ..blender import child_process, turns
from ..blender.child_process import EXTENSION_ROOT
from ..setup.engine_python import NO_ENGINE_REMEDY, find_python
from ..setup.installation import import_failures

QUEUED_MESSAGES = 16
FULL_QUEUE_S = 0.02
"""How long the reader sleeps when Blender has not taken the messages yet."""
LOG_LINES = 200
LAST_WORDS_S = 1.0
"""An engine that has closed its output gets so long to end and to have its log read."""


class EngineProcess:
    """A running ``python -m engine serve``. Every method but :meth:`wait_and_receive` returns at once."""

    def __init__(self, python: Path, root: Path | None = None) -> None:
        """Start the engine. Raises :class:`UserError` (``no-engine``) when the system cannot start that program."""
        self.python = python
        self.log: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        self._messages: queue.Queue[Message | UserError | None] = queue.Queue(QUEUED_MESSAGES)
        self._closing = threading.Event()
        try:
            self._process = child_process.start([str(python), "-m", "engine", "serve"], root or EXTENSION_ROOT)
        except OSError as error:
            raise UserError(
                "no-engine",
                "The engine's Python, {python}, cannot be started: {reason}.",
                NO_ENGINE_REMEDY,
                python=python,
                reason=error.strerror,
            ) from error
        self._reader = threading.Thread(target=self._read_messages, name="human3r-messages", daemon=True)
        self._logger = threading.Thread(target=self._read_log, name="human3r-log", daemon=True)
        self._reader.start()
        self._logger.start()
        log.info("the engine runs as process %d", self.process_id)

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be given work: it runs and was not asked to end."""
        return self._process.poll() is None and not self._closing.is_set()

    def start_capture(self, request: StartCapture) -> None:
        self._send(request)

    def cancel_capture(self) -> None:
        """Ask for the end of the running capture; its last messages and its end still arrive."""
        self._send(CancelCapture())

    def receive(self, timeout_s: float = 0.0) -> Message | None:
        """The next message, or None when none arrives within ``timeout_s``.

        Raises :class:`UserError`: ``engine-died``, ``engine-incomplete``, ``engine-garbled``, ``protocol-mismatch``.
        """
        try:
            item = self._messages.get(timeout=timeout_s) if timeout_s > 0 else self._messages.get_nowait()
        except queue.Empty:
            return None
        if item is None:
            item = self._explain_end()
        if isinstance(item, UserError):
            raise item
        return item

    def close(self, grace_s: float = child_process.GRACE_S) -> None:
        """End the process: ask, close its input, and after ``grace_s`` seconds insist. Blocks until it is gone."""
        self._closing.set()
        self._send(Shutdown())
        child_process.end(self._process, grace_s)
        for thread in (self._reader, self._logger):  # no thread of ours runs Python while Blender takes it down
            thread.join(grace_s)
        log.info("the engine, process %d, ended with code %s", self.process_id, self._process.poll())

    def close_in_background(self, grace_s: float = child_process.GRACE_S) -> None:
        """As :meth:`close`, without making Blender wait for it before it quits: then Python waits for the thread."""
        threading.Thread(target=self.close, args=(grace_s,), name="human3r-close").start()

    def _send(self, message: Message) -> None:
        # a dead engine shows itself in receive(), with its last words
        with contextlib.suppress(OSError, ValueError):
            write_record(self._process.stdin, encode(message))  # type: ignore[arg-type]

    def _read_messages(self) -> None:
        try:
            while (record := read_record(self._process.stdout)) is not None:  # type: ignore[arg-type]
                with turns.python_allowed():
                    message = decode(record)
                self._put(message)
        except UserError as error:
            self._put(error)
        except TruncatedRecord:
            pass  # it died while it wrote
        except CorruptRecord as error:
            self._put(
                UserError(
                    "engine-garbled",
                    "The engine sent data that cannot be read: {error}.",
                    "Start again. If it keeps happening, copy the error report and file an issue.",
                    error=error,
                )
            )
        self._put(None)

    def _put(self, item: Message | UserError | None) -> None:
        """Hand an item over, once there is room for it; nobody takes it any more when the engine's input is closed."""
        while True:
            with turns.python_allowed():
                if self._closing.is_set() or self._process.stdin.closed:  # type: ignore[union-attr]
                    return
                with contextlib.suppress(queue.Full):
                    self._messages.put_nowait(item)
                    return
            time.sleep(FULL_QUEUE_S)

    def _read_log(self) -> None:
        for line in turns.each(self._process.stderr):  # type: ignore[arg-type]
            self.log.append(line.decode("utf-8", "replace").rstrip())
            log.debug("from the engine: %s", self.log[-1])

    def _explain_end(self) -> UserError:
        """Why there are no more messages: from the exit code and the last lines of the log."""
        deadline = time.monotonic() + LAST_WORDS_S  # its output is closed: the end is milliseconds away
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LAST_WORDS_S)
        self._logger.join(max(0.0, deadline - time.monotonic()))
        code = self._process.poll()
        last_words = [line for line in self.log if line.strip()][-3:]
        for line in last_words:
            if line.startswith("ModuleNotFoundError: No module named "):
                missing = line.rpartition(" ")[2].strip("'")
                return UserError(
                    "engine-incomplete",
                    "The engine's Python, {python}, has no module {missing}.",
                    "Press Repair in Preferences > Add-ons > Human3R. If you chose that Python yourself, install the "
                    "engine's packages into it, or clear the choice there.",
                    python=self.python,
                    missing=missing,
                )
            if remedy := import_failures.remedy(line):
                return UserError(
                    "engine-blocked",
                    "The engine's Python, {python}, cannot load a package: {said}",
                    remedy,
                    python=self.python,
                    said=line,
                )
        said = " Its last output: " + " | ".join(last_words) if last_words else ""
        if code in (-9, 137):
            return UserError(
                "engine-died",
                "The system stopped the engine, most likely because memory ran out.{said}",
                "Close other programs or choose a smaller model, then start again. The take is intact up to then.",
                said=said,
            )
        if code is None:
            stopped = "The engine closed its output unexpectedly.{said}"
        elif code < 0:
            stopped = "The engine was ended by signal {number}.{said}"
        else:
            stopped = "The engine stopped unexpectedly with exit code {number}.{said}"
        return UserError(
            "engine-died",
            stopped,
            "Start again. The take is intact up to then and can be imported. If it happens again, copy the error "
            "report and file an issue.",
            number=abs(code or 0),
            said=said,
        )


def launch(preferred_python: str = "") -> EngineProcess:
    """Find the engine's Python and start the engine. Raises :class:`UserError` (``no-engine``)."""
    return EngineProcess(find_python(preferred_python))
