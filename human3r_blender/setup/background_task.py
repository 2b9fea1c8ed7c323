# SPDX-License-Identifier: GPL-3.0-or-later
"""Work outside Blender that tells about itself in events: a download, an installation, a self-test.

The other side sends JSON objects, one a line: ``{"event": "progress", "name", "done", "total", "bytes_per_s"}``
(with a ``unit`` where it is not bytes that are counted),
``{"event": "stage", "stage"}``, ``{"event": "log", "line"}``, ``{"event": "done"}``, ``{"event": "error", "code",
"message", "remedy"}``; any other object is the result. A thread writes what they say into plain fields, and whoever
draws reads them: a window that is busy never makes a download wait. No ``bpy`` here.
"""

from __future__ import annotations

import collections
import contextlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...engine.contract.errors import UserError
from ...engine.contract.logs import log
from ...engine.contract.sentences import Sentence
from ..blender import child_process, turns
from ..blender.progress import format_bytes, format_duration

LOG_LINES = 200
CANCEL_GRACE_S = child_process.GRACE_S

STAGES = {
    "waiting": "Waiting for another download to finish",
    "download": "Downloading",
    "busy": "Waiting, as the server asks",
    "verify": "Checking",
    "convert": "Converting (only once, for faster loading)",
    "install": "Installing",
}
"""Words of the downloader's protocol, for people; other stages are sentences already."""


class Task:
    """What is known of a piece of work; :meth:`handle` may be called from any thread."""

    canceled = "{title}: canceled. What has been downloaded is kept."
    """What is said of one that was canceled."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.state = "running"
        """``running``, and at the end ``done``, ``failed`` or ``cancelled``."""
        self.stage = ""
        """What is being done, in words."""
        self.done, self.total, self.bytes_per_s = 0.0, 0.0, 0.0
        """Bytes of the file that is being transferred; a total of 0 where it is unknown."""
        self.unit = ""
        """``frames`` where it is frames that are counted, and not bytes."""
        self.error: UserError | None = None
        self.result: dict[str, object] | None = None
        self.log: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        self.is_cancelling = False

    @property
    def is_active(self) -> bool:
        return self.state == "running"

    @property
    def fraction(self) -> float | None:
        """0..1 of the present stage; None while nobody knows."""
        return min(1.0, self.done / self.total) if self.total > 0 else None

    @property
    def text(self) -> str:
        """One line on how far it is: ``Downloading: 1.2 GB of 4.7 GB, 20.1 MB/s, 2 min 54 s left``."""
        if self.is_cancelling and self.is_active:
            return "Canceling"
        if self.total <= 0 or not self.is_active:
            return self.stage
        if self.unit == "frames":
            done, total = int(self.done), int(self.total)
            return Sentence("{stage}: {done} of {total} frames", stage=Sentence(self.stage), done=done, total=total)
        amount = Sentence("{done} of {total}", done=format_bytes(self.done), total=format_bytes(self.total))
        if self.bytes_per_s > 0:
            amount = Sentence(
                "{amount}, {rate}/s, {duration} left",
                amount=amount,
                rate=format_bytes(self.bytes_per_s),
                duration=format_duration((self.total - self.done) / self.bytes_per_s),
            )
        return Sentence("{stage}: {amount}", stage=Sentence(self.stage), amount=amount) if self.stage else amount

    def handle(self, event: Mapping[str, object]) -> None:
        """Take in one event. The end comes with :meth:`finish` and not with ``done``: a child still has to exit."""
        kind = event.get("event")
        if kind == "progress":
            self.done, self.total = _number(event.get("done")), _number(event.get("total"))
            self.bytes_per_s = _number(event.get("bytes_per_s"))
            self.unit = str(event.get("unit", ""))
        elif kind == "stage":
            said = event.get("stage")
            stage = said if isinstance(said, str) else ""  # which may be a Sentence, and stays one
            self.stage, self.done, self.total = STAGES.get(stage, stage), 0.0, 0.0
            self.log.append(self.stage)
        elif kind == "error":
            self.error = UserError.from_dict(event)
            self.log.append(f"error [{self.error.code}]: {self.error.message}")
        elif kind == "log":
            self.log.append(str(event.get("line", "")))
        elif kind != "done":
            self.result = dict(event)

    def finish(self, failure: UserError | None = None) -> None:
        """The end. ``failure`` is why, if the work did not explain itself."""
        if self.is_cancelling:
            self.error, self.state = None, "cancelled"
        else:
            self.error = self.error or failure
            self.state = "failed" if self.error else "done"
        log.info("%s: %s%s", self.title, self.state, f" ({self.error.code})" if self.error else "")

    def cancel(self) -> None:
        """Ask for the end. Returns at once."""
        self.is_cancelling = True

    def close(self) -> None:
        """End it for certain; blocks for a moment."""
        self.cancel()


class ChildTask(Task):
    """A child process that writes events on standard output; what it says on standard error is kept as the log.

    Its standard input stays open: the end of it asks a child to stop, also when Blender should crash.
    """

    def __init__(
        self,
        title: str,
        command: Sequence[str],
        folder: Path = child_process.EXTENSION_ROOT,
        variables: Mapping[str, str] | None = None,
        told: str = "",
    ) -> None:
        """Start it. ``told`` are lines for its standard input: secrets go there, and nowhere else.

        Raises :class:`UserError` (``task-not-started``) when the system cannot start that program.
        """
        super().__init__(title)
        self._last_words: collections.deque[str] = collections.deque(maxlen=2)
        try:
            self._process = child_process.start(command, folder, variables)
        except OSError as error:
            raise UserError(
                "task-not-started",
                "{program} cannot be started: {reason}.",
                "Repair the engine, or choose another Python in the preferences.",
                program=command[0],
                reason=error.strerror,
            ) from error
        self._logger = threading.Thread(target=self._read_log, name="human3r-task-log", daemon=True)
        self._reader = threading.Thread(target=self._read_events, args=(told,), name="human3r-task", daemon=True)
        self._logger.start()
        self._reader.start()

    @property
    def process_id(self) -> int:
        return self._process.pid

    def cancel(self) -> None:
        if self.is_active and not self.is_cancelling:
            self.is_cancelling = True
            threading.Thread(
                target=child_process.end, args=(self._process, CANCEL_GRACE_S), name="human3r-task-end", daemon=True
            ).start()

    def close(self) -> None:
        self.is_cancelling = self.is_active
        child_process.end(self._process, CANCEL_GRACE_S)
        self._reader.join(CANCEL_GRACE_S)

    def _read_events(self, told: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # it ended before it was told: it will say why
            self._process.stdin.write(told.encode("utf-8"))  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        for line in turns.each(self._process.stdout):  # type: ignore[arg-type]
            event = _parse(line)
            if event is None:
                self.log.append(line.decode("utf-8", "replace").rstrip())
            else:
                self.handle(event)
        code = self._process.wait()
        self._logger.join(CANCEL_GRACE_S)
        self.finish(self._explain(code) if code else None)

    def _read_log(self) -> None:
        for line in turns.each(self._process.stderr):  # type: ignore[arg-type]
            text = line.decode("utf-8", "replace").rstrip()
            self.log.append(text)
            if text:
                self._last_words.append(text)

    def _explain(self, code: int) -> UserError:
        """Why it ended without saying so: from the exit code and the last lines on standard error."""
        how = Sentence("signal {number}", number=-code) if code < 0 else Sentence("exit code {number}", number=code)
        message = "{title}: the program stopped unexpectedly ({how})."
        if self._last_words:
            message += " Its last output: {output}"
        return UserError(
            "task-died",
            message,
            "Try again. If it happens again, copy the report and file an issue.",
            title=Sentence(self.title),
            how=how,
            output=" | ".join(self._last_words),
        )


def wait(task: Task, seconds: float) -> bool:
    """Wait up to ``seconds`` for the end, where no event loop runs; True when it has come."""
    deadline = time.monotonic() + seconds
    while task.is_active and time.monotonic() < deadline:
        time.sleep(0.02)
    return not task.is_active


def _parse(line: bytes) -> dict[str, object] | None:
    """The object in a line, or None where the line is something else."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
