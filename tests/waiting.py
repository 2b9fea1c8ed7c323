# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting without racing a clock: guards against hanging that a slow machine does not set off.

A test that waits gives up when nothing changes any more (no frame, no line, no work of the process it waits for), not
when it has become late. A grace that a program gives another one is set to :data:`HANG_S` where the orderly end is
tested, so that only what does not end by itself is ended by force.
"""

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

HANG_S = 1800.0
"""For limits that cannot count progress, such as ``subprocess.run``'s: more than ten times what anything here needs."""
_STUCK_S = 600.0
"""So long without any progress is no slow machine."""
_ENDLESS_S = 4 * HANG_S
"""What is busy so long will never come to its end."""
_LOOK_EVERY_S = 0.02


class Patience:
    """Ask :meth:`check` in every round of a loop that waits."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._progress: object = None
        self._begun = self._changed = time.monotonic()

    def check(self, progress: object = None) -> None:
        """Fails the test when ``progress``, whatever it is, has been the same for long."""
        now = time.monotonic()
        if progress != self._progress:
            self._progress, self._changed = progress, now
        assert now - self._changed < _STUCK_S, f"waited in vain for {self._what}: stuck at {progress}"
        assert now - self._begun < _ENDLESS_S, f"waited in vain for {self._what}: it goes on for ever, at {progress}"


def wait_until(
    condition: Callable[[], object], what: str = "a condition", progress: Callable[[], object] = lambda: None
) -> None:
    """Wait for a condition; gives up when ``progress`` says the same for long."""
    patience = Patience(what)
    while not condition():
        patience.check(progress())
        time.sleep(_LOOK_EVERY_S)


def work_of(process_id: int) -> int:
    """Processor time (in clock ticks) that a process and what it started have used; 0 where the system does not say."""
    process = Path(f"/proc/{process_id}")
    try:
        used = sum(map(int, (process / "stat").read_text().rpartition(")")[2].split()[11:15]))
        children = " ".join(path.read_text() for path in process.glob("task/*/children")).split()
    except OSError:
        return 0
    return used + sum(work_of(int(child)) for child in children)


def communicate(process: subprocess.Popen) -> tuple:
    """``process.communicate()``: given up when the process neither ends nor works; then it is killed."""
    patience = Patience(f"the end of {process.args}")
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=1.0)
            patience.check(work_of(process.pid))
    except BaseException:
        process.kill()
        raise


def end_of(process: subprocess.Popen) -> int:
    """The exit code of a process whose output somebody reads."""
    wait_until(lambda: process.poll() is not None, f"the end of {process.args}", lambda: work_of(process.pid))
    return process.returncode
