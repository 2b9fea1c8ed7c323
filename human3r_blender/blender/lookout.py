# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether files are there, for what is drawn: no panel ever waits for a disk.

Threads ask the system, and whoever draws gets the last answer at once. In background mode the system is asked itself.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import bpy

from ...engine.contract.file_names import is_remote
from .sidebar import SIDEBAR, tag_redraw

AGAIN_S = 2.0
"""So long an answer counts."""
LOOK_S = 0.1

_answers: dict[str, tuple[float, bool]] = {}
_asked: dict[str, Future[os.stat_result]] = {}


def is_there(path: str | Path) -> bool | None:
    """Whether a file or folder is there; None while nobody knows.

    Paths that name another computer are never looked at without being asked for: Windows sends the user's login there.
    """
    key = str(path)
    if not key or is_remote(key):
        return None if key else False
    if bpy.app.background:
        return os.path.exists(key)  # noqa: PTH110 - takes any name
    asked_at, answer = _answers.get(key, (0.0, None))
    if key not in _asked and (answer is None or time.monotonic() - asked_at > AGAIN_S):
        _ask(key)
    return answer


def forget() -> None:
    """Ask anew for all files: some were just made or removed."""
    _answers.clear()


def _ask(key: str) -> None:
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="human3r-lookout")
    _asked[key] = worker.submit(os.stat, key)
    worker.shutdown(wait=False)
    if not bpy.app.timers.is_registered(_collect):
        bpy.app.timers.register(_collect, first_interval=LOOK_S)


def _collect() -> float | None:
    """Take in the answers that have come, and have the sidebar drawn where one is new."""
    for key in [key for key, future in _asked.items() if future.done()]:
        before = _answers.get(key, (0.0, None))[1]
        answer = _asked.pop(key).exception() is None
        _answers[key] = time.monotonic(), answer
        if answer != before:
            tag_redraw(SIDEBAR)
    return LOOK_S if _asked else None


def switch_off() -> None:
    if bpy.app.timers.is_registered(_collect):
        bpy.app.timers.unregister(_collect)
