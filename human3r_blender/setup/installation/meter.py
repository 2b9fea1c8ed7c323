# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a download is: from the lines that uv writes, and from what it has unpacked so far."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .store import tree_bytes

INTERVAL_S = 1.0
WALK_SHARE = 0.05
"""Of the time, at most so much goes into looking."""

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_DOWNLOADING = re.compile(r"^\s*Downloading (\S+) \(([\d.]+)\s*(B|KiB|MiB|GiB)\)")
_DOWNLOADED = re.compile(r"^\s*Downloaded (\S+)")


class Meter:
    """Reports ``(name, done, total, bytes_per_s)`` about once a second, from a thread of its own, until closed."""

    def __init__(
        self, cache: Path, total_bytes: int, unpack_factor: float, report: Callable[[str, int, int, float], None]
    ) -> None:
        self._cache, self._total, self._factor, self._report = cache, total_bytes, unpack_factor, report
        self._sizes: dict[str, int] = {}
        self._open: list[str] = []
        self._finished = 0
        self._guard = threading.Lock()
        self._closed = threading.Event()
        self._last = (time.monotonic(), 0)
        self._thread = threading.Thread(target=self._watch, name="human3r-meter", daemon=True)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()

    def read(self, line: str) -> None:
        """Take in one line of uv's."""
        with self._guard:
            if match := _DOWNLOADING.match(line):
                name, number, unit = match.groups()
                self._sizes[name] = int(float(number) * _UNITS[unit])
                self._open.append(name)
            elif (match := _DOWNLOADED.match(line)) and match[1] in self._open:
                self._open.remove(match[1])
                self._finished += self._sizes[match[1]]

    def done_bytes(self, unfinished_bytes: int) -> tuple[str, int]:
        """(what is downloaded now, downloaded so far) with so many bytes unpacked of files that are under way."""
        with self._guard:
            under_way = sum(self._sizes[name] for name in self._open)
            done = self._finished + min(under_way, int(unfinished_bytes / self._factor))
            largest = max(self._open, key=lambda name: self._sizes[name], default="")
        return largest, min(done, self._total) if self._total else done

    def _watch(self) -> None:
        pause = INTERVAL_S
        while not self._closed.wait(pause):
            started = time.monotonic()
            unfinished = sum(tree_bytes(folder) for folder in self._cache.glob(".tmp*"))
            name, done = self.done_bytes(unfinished)
            now, (before, had) = time.monotonic(), self._last
            self._last = (now, done)
            pause = max(INTERVAL_S, (now - started) / WALK_SHARE)
            if name:
                self._report(name, done, max(self._total, done), max(0.0, (done - had) / (now - before)))
