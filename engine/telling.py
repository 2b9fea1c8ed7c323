# SPDX-License-Identifier: GPL-3.0-or-later
"""How a command tells Blender how far it is, and hears that it is wanted no more."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import BinaryIO

from .interruption import Interruption
from .standard_streams import say

_LINE_EVERY = 0.1
"""Share of the frames between two lines about them."""


class Teller:
    """Says how far the work is: events for programs, lines for people."""

    def __init__(self, stdout: BinaryIO, events: bool, quiet: bool) -> None:
        self._stdout, self._events, self._quiet = stdout, events, quiet
        self._doing, self._next_line = "", 0.0

    def event(self, values: dict[str, object]) -> None:
        """Write a JSON object where a program listens."""
        if self._events:
            with contextlib.suppress(OSError):
                self._stdout.write(json.dumps(values).encode("utf-8") + b"\n")
                self._stdout.flush()

    def tell(self, doing: str, done: int, total: int) -> None:
        """So many of the frames are done."""
        if doing != self._doing:
            self._doing, self._next_line = doing, 0.0
            self.event({"event": "stage", "stage": doing})
        self.event({"event": "progress", "name": doing, "done": done, "total": total, "unit": "frames"})
        if done / total >= self._next_line and not self._quiet:
            self._next_line = done / total + _LINE_EVERY
            say(f"{doing}: {done} of {total} frames")


def wait_for_the_end(interruption: Interruption) -> None:
    """Ask for a stop once standard input ends: whoever started this program wants it no more, or is gone."""
    # A descriptor of our own: a thread that waits in Python's stdin would hold up the end of the process.
    descriptor = os.dup(sys.stdin.fileno())
    with contextlib.suppress(OSError):
        while os.read(descriptor, 4096):
            pass
    interruption.request()
