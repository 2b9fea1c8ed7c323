# SPDX-License-Identifier: GPL-3.0-or-later
"""One background task at a time, and its life in a window: a timer that redraws what shows it, and what its end does.

As in ``capture/timer.py`` a timer and not a modal operator. In background mode, where timers never fire,
:func:`begin` returns when the task is over.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy

from ...engine.contract.errors import UserError
from ..blender import busy
from ..blender.sidebar import SIDEBAR, tag_redraw
from . import background_task
from .background_task import Task

INTERVAL_S = 0.2
LONGEST_WAIT_S = 24 * 3600.0
"""In background mode."""
PREFERENCES = ("PREFERENCES", "WINDOW")

_current: Task | None = None
_on_end: Callable[[Task], None] | None = None


def current() -> Task | None:
    """The task in progress, or the last one until it is dismissed."""
    return _current


def is_busy() -> bool:
    return _current is not None and _current.is_active


busy.announce(busy.TASK, is_busy)


def begin(start: Callable[[], Task], on_end: Callable[[Task], None] | None = None) -> Task:
    """Start a task, and call ``on_end`` on the main thread when it is over. Raises :class:`UserError` (``busy``, or
    what ``start`` raises)."""
    global _current, _on_end
    if is_busy():
        raise UserError(
            "busy", "Something is being installed, downloaded or exported.", "Wait for it to finish, or cancel it."
        )
    task = start()
    _current, _on_end = task, on_end
    if bpy.app.background:
        background_task.wait(task, LONGEST_WAIT_S)
        pump()
    elif not bpy.app.timers.is_registered(pump):
        bpy.app.timers.register(pump, first_interval=INTERVAL_S, persistent=True)
    return task


def pump() -> float | None:
    """Have the task drawn again; returns the seconds until the next time, or None after its end."""
    global _on_end
    task, on_end = _current, _on_end
    over = task is None or not task.is_active
    if over and task is not None and on_end is not None:
        _on_end = None
        on_end(task)
    tag_redraw(PREFERENCES, SIDEBAR)
    return None if over else INTERVAL_S


def dismiss() -> None:
    """Forget the last task, once it is over."""
    global _current
    if not is_busy():
        _current = None


def forget() -> None:
    """End the task in progress and forget it: the add-on is being switched off."""
    global _current, _on_end
    if _current is not None:
        _current.close()
    _current = _on_end = None
    if bpy.app.timers.is_registered(pump):
        bpy.app.timers.unregister(pump)
