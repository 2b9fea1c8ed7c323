# SPDX-License-Identifier: GPL-3.0-or-later
"""What the chosen footage is like: asked of the engine in the background, so that drawing never waits.

The engine opens the file, in a process of its own: whatever is wrong with it, Blender goes on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...engine.contract.errors import UserError
from ...engine.contract.file_names import is_remote
from ...engine.contract.json_checks import is_number
from ..blender.sidebar import SIDEBAR, tag_redraw
from ..setup import choices, jobs
from ..setup.background_task import Task

INTERVAL_S = 0.1
REMEMBERED = 16
"""Footage; the oldest is forgotten."""


@dataclass(frozen=True, eq=False)
class FootageFacts:
    """What the engine found."""

    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    frames: int | None = None
    """None where the file does not tell."""
    image: np.ndarray | None = None
    """(H, W, 3) uint8 sRGB: the first frame, small."""
    error: UserError | None = None
    """Why nothing else is known."""

    def frames_of(self, start: int, end: int | None, stride: int) -> int | None:
        """How many frames a capture takes of it."""
        if self.frames is None:
            return None if end is None else len(range(start, end, stride))
        return len(range(start, min(self.frames, end or self.frames), stride))


_chosen: set[str] = set()
"""Footage on other computers that somebody chose here; a file from elsewhere may name any."""
_known: dict[str, FootageFacts] = {}
_asked: dict[str, Task | None] = {}
"""None for what the timer has yet to ask."""


def choose(source: str) -> None:
    """Somebody has just named this footage here, so it may be opened wherever it is."""
    _chosen.add(source)


def may_open(source: str) -> bool:
    """Whether footage is opened unasked: on another computer only what was chosen in this session."""
    return source in _chosen or not is_remote(source)


def of(source: str) -> FootageFacts | None:
    """What is known of footage; None while it is being asked. For drawing: returns at once."""
    if not may_open(source):
        return None
    if source not in _known and source not in _asked:
        _asked[source] = None
        if not bpy.app.timers.is_registered(_watch):
            bpy.app.timers.register(_watch, first_interval=0.0)
    return _known.get(source)


def forget(source: str = "") -> None:
    """Ask anew, because the file may be another by now; without a name, of all footage."""
    for name in [source] if source else list(_known):
        _known.pop(name, None)


def ask(source: str, begin: Callable[[str, str], Task] = jobs.probe) -> Task:
    """Start to ask the engine. Raises :class:`UserError` (``no-engine``, ``task-not-started``)."""
    return begin(source, choices.read().engine_python)


def found_by(task: Task) -> FootageFacts:
    """What a task that is over has found, everything in it checked."""
    if task.error is not None:
        return FootageFacts(error=task.error)
    told = task.result or {}
    numbers = {name: told.get(name) for name in ("width", "height", "frame_rate")}
    if not all(is_number(value) and value > 0 for value in numbers.values()):  # type: ignore[operator]
        return FootageFacts(error=UserError("footage-unreadable", "Nothing is known of this footage.", "Try to start."))
    frames = told.get("frames")
    return FootageFacts(
        int(numbers["width"]),  # type: ignore[call-overload]
        int(numbers["height"]),  # type: ignore[call-overload]
        float(numbers["frame_rate"]),  # type: ignore[arg-type]
        frames if isinstance(frames, int) and frames > 0 else None,
        _image(told),
    )


def _image(told: dict[str, Any]) -> np.ndarray | None:
    try:
        flat = np.frombuffer(base64.b64decode(told["image"], validate=True), np.uint8)
        return flat.reshape(told["image_height"], told["image_width"], 3)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None


def _watch() -> float | None:
    """Ask what is to be asked, and take in what has been answered; returns the seconds until the next time."""
    for source, task in list(_asked.items()):
        if task is None:
            try:
                _asked[source] = ask(source)
            except UserError as error:
                _answered(source, FootageFacts(error=error))
        elif not task.is_active:
            _answered(source, found_by(task))
    return INTERVAL_S if _asked else None


def _answered(source: str, facts: FootageFacts) -> None:
    del _asked[source]
    while len(_known) >= REMEMBERED:
        del _known[next(iter(_known))]
    _known[source] = facts
    tag_redraw(SIDEBAR)


def switch_off() -> None:
    if bpy.app.timers.is_registered(_watch):
        bpy.app.timers.unregister(_watch)
    for task in _asked.values():
        if task is not None:
            task.close()
    _asked.clear()
    _chosen.clear()
    _known.clear()
