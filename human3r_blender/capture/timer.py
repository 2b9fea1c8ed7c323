# SPDX-License-Identifier: GPL-3.0-or-later
"""The session's life in a window: a timer that pumps it, and what happens around it.

A ``bpy.app.timers`` timer and not a modal operator: a modal operator belongs to one window and workspace and ends
with them, blocks automatic saving, and is listed as running; the timer only needs Blender's event loop.
"""

from __future__ import annotations

import time

import bpy
from bpy.app.handlers import persistent

from ..blender.sidebar import SIDEBAR, tag_redraw
from . import recent_takes
from . import session as sessions
from .session import Session

SLICE_S = 0.006
"""Work per call, of the aimed at 15 ms; the rest is for the last step begun, and for moving the playhead."""
SLICE_SHARE = 0.2
LONGEST_SLICE_S = 0.04
"""Where drawing takes long anyway, work may take this share of it, up to so much: else a run would starve."""
BUSY_INTERVAL_S = 0.005
IDLE_INTERVAL_S = 0.05
REDRAW_EVERY_S = 0.2
FOLLOW_EVERY_S = 0.1

_next_redraw = 0.0
_next_follow = 0.0
_last_pump = 0.0


def run_session(session: Session) -> None:
    """Pump the session from now on, until it is over."""
    global _last_pump
    _last_pump = time.perf_counter()
    if not bpy.app.timers.is_registered(pump):
        bpy.app.timers.register(pump, persistent=True)


def pump() -> float | None:
    """One slice; returns the seconds until the next, or None after the last."""
    global _last_pump
    session = sessions.current()
    if session is None:
        return None
    started = time.perf_counter()
    elsewhere = started - _last_pump - IDLE_INTERVAL_S
    was_active = session.is_active
    active = session.pump_messages(min(max(SLICE_S, SLICE_SHARE * elsewhere), LONGEST_SLICE_S))
    _last_pump = time.perf_counter()
    used = _last_pump - started
    _follow(session)
    _redraw(force=not active)
    if active:
        return BUSY_INTERVAL_S if used > SLICE_S / 2 else IDLE_INTERVAL_S
    if was_active:
        recent_takes.note_run(session)
        bpy.ops.ed.undo_push(message="Human3R")  # so that undoing the next step does not take the people away
    return None


def _follow(session: Session) -> None:
    """Bring the playhead to the newest keys, unless the animation plays."""
    global _next_follow
    now = time.monotonic()
    scene, builder = session.scene, session.builder
    if now < _next_follow or scene is None or builder is None or not session.is_active or not scene.human3r.follow:
        return
    _next_follow = now + FOLLOW_EVERY_S
    if any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows):
        return
    frame = int(builder.latest_frame)
    if frame != scene.frame_current:
        scene.frame_set(frame)


def _redraw(force: bool) -> None:
    global _next_redraw
    now = time.monotonic()
    if now < _next_redraw and not force:
        return
    _next_redraw = now + REDRAW_EVERY_S
    tag_redraw(SIDEBAR)


@persistent
def _stop_before_load(*_: object) -> None:
    session = sessions.current()
    if session is not None:
        session.stop()


@persistent
def _leave_before_undo(*_: object) -> None:
    session = sessions.current()
    if session is not None:
        session.leave_scene()


HANDLERS = (
    ("load_pre", _stop_before_load),
    ("undo_pre", _leave_before_undo),
    ("redo_pre", _leave_before_undo),
)


def switch_off() -> None:
    if bpy.app.timers.is_registered(pump):
        bpy.app.timers.unregister(pump)
