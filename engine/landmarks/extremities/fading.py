# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints that are seen now and then, without jumps: held a moment, faded out, faded in, lightly smoothed.

What is shown follows one of three sources: what is seen in this frame, what was seen last, or what the body does on
its own. When the source changes, what was shown keeps its distance from the new source at first and loses it within
the fade. Rotations are relative to the parents, so a held hand goes with its arm. Time is in seconds: frames may come
at any rate. The state is a value: `fade` returns the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ...contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ...resuming.state_reader import StateReader
from ..observations import _People
from ..turns import part_of_turn, transposed
from .extremities import GROUP_OF, GROUPS, REPLACED

OWN, HELD, SEEN = 0, 1, 2
"""Sources of what is shown."""

_JOINTS, _GROUPS = len(REPLACED), len(GROUPS)


@dataclass(frozen=True)
class FadeSettings:
    """How long things last, in seconds."""

    hold_s: float = 0.2
    """What was seen last is kept for this long."""
    out_s: float = 0.3
    """Then it goes over to the body's own within this."""
    in_s: float = 0.15
    """What is seen again is reached within this."""
    calm_hz: float = 3.0
    """Cutoff of the one-euro filter on what is seen, for joints at rest; 0 filters nothing. Angles of fingers differ by
    3 to 6 degrees from frame to frame without it."""
    speed_hz: float = 1.5
    """What a joint's speed in radians a second adds to it."""


_SPEED_CUTOFF_HZ = 3.0
"""Of the speeds that the filter goes by."""


@dataclass(frozen=True)
class FadeState(_People):
    """What is remembered of m tracks."""

    track_id: np.ndarray
    """(m,) int64"""
    time_s: np.ndarray
    """(m,) when each was last shown."""
    seen_s: np.ndarray
    """(m, 5) when each group was last seen; -inf for never."""
    source: np.ndarray
    """(m, 5) int64, OWN, HELD or SEEN."""
    since_s: np.ndarray
    """(m, 5) for how long that has been the source."""
    offset: np.ndarray
    """(m, 37, 3) axis-angle: what was shown, relative to the source, when the source changed."""
    held: np.ndarray
    """(m, 37, 3, 3) what was seen last, smoothed."""
    speed: np.ndarray
    """(m, 37, 3) radians a second of it, smoothed."""
    shown: np.ndarray
    """(m, 37, 3, 3)"""

    def export(self) -> dict[str, np.ndarray]:
        """Plain arrays by name."""
        return {item.name: getattr(self, item.name).copy() for item in fields(self)}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> FadeState:
        """From `export`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state, many = StateReader("hands and faces", arrays), "tracks"
        turns = {name: state.array(name, np.float64, many, _JOINTS, 3, 3) for name in ("held", "shown")}
        found = cls(
            state.array("track_id", np.int64, many), state.array("time_s", np.float64, many),
            state.array("seen_s", np.float64, many, _GROUPS, most=None), state.array("source", np.int64, many, _GROUPS),
            state.array("since_s", np.float64, many, _GROUPS), state.array("offset", np.float64, many, _JOINTS, 3),
            turns["held"], state.array("speed", np.float64, many, _JOINTS, 3), turns["shown"],
        )  # fmt: skip
        state.require(bool((found.seen_s <= found.time_s[:, None]).all()), "seen_s is not in the past")  # nor NaN
        state.require(bool(np.isin(found.source, (OWN, HELD, SEEN)).all()), "source names no source")
        for name, turn in turns.items():
            off = np.abs(turn @ transposed(turn) - np.eye(3)).max(initial=0.0)
            state.require(bool(off < 1e-3), f"{name} is not made of rotations")
        return found


def nobody() -> FadeState:
    """Before the first frame."""
    return _blank(np.zeros(0, np.int64), 0.0)


def _blank(track_id: np.ndarray, time_s: float) -> FadeState:
    many = len(track_id)
    turns = np.tile(np.eye(3), (many, _JOINTS, 1, 1))
    return FadeState(
        track_id, np.full(many, time_s), np.full((many, _GROUPS), -np.inf), np.full((many, _GROUPS), OWN),
        np.full((many, _GROUPS), np.inf), np.zeros((many, _JOINTS, 3)), turns, np.zeros((many, _JOINTS, 3)), turns,
    )  # fmt: skip


def fade(
    state: FadeState,
    track_id: np.ndarray,
    time_s: float,
    seen: np.ndarray,
    seen_rotations: np.ndarray,
    own_rotations: np.ndarray,
    settings: FadeSettings,
) -> tuple[FadeState, np.ndarray]:
    """The (n, 37, 3, 3) rotations to show of n tracks, and the state for the next frame.

    `seen` is (n, 5) bool; `seen_rotations` and `own_rotations` are (n, 37, 3, 3), the first only read where seen.
    """
    before, is_new = _rows(state, track_id, time_s, settings)
    held, speed = _smoothed(before, time_s, seen, seen_rotations, settings)
    seen_s = np.where(seen, time_s, before.seen_s)
    source = np.where(seen, SEEN, np.where(time_s - seen_s <= settings.hold_s, HELD, OWN))
    target = np.where((source != OWN)[:, GROUP_OF, None, None], held, own_rotations)
    # Going over from seen to held changes nothing: what is held is what was shown. All other changes begin a fade.
    changed = (source != before.source) & (source != HELD) & ~is_new[:, None]
    gap = matrix_to_axis_angle(transposed(target) @ before.shown)
    offset = np.where(changed[:, GROUP_OF, None], gap, before.offset)
    step = (time_s - before.time_s)[:, None]
    since = np.where(is_new[:, None], np.inf, np.where(changed, step, before.since_s + step))
    left = _left(since, source, settings)[:, GROUP_OF]
    shown = target @ axis_angle_to_matrix(left[..., None] * offset)
    after = FadeState(
        track_id.copy(), np.full(len(track_id), time_s), seen_s, source, np.minimum(since, _LONG_S), offset, held,
        speed, shown,
    )  # fmt: skip
    return _with_others(after, state, time_s, settings), shown


_LONG_S = 1e6
"""Stands for any long time, in a number that files take."""


def _rows(
    state: FadeState, track_id: np.ndarray, time_s: float, settings: FadeSettings
) -> tuple[FadeState, np.ndarray]:
    """What is remembered of these tracks, and (n,) which are new, or have been away too long to fade from."""
    blank = _blank(np.asarray(track_id, np.int64), time_s)
    if not len(state):
        return blank, np.ones(len(track_id), bool)
    match = np.asarray(track_id)[:, None] == state.track_id[None]
    row = match.argmax(axis=1)
    is_new = ~match.any(axis=1) | (time_s - state.time_s[row] > settings.hold_s + settings.out_s)
    known = state.select(row)
    merged = {}
    for item in fields(FadeState):
        mine, fresh = getattr(known, item.name), getattr(blank, item.name)
        merged[item.name] = np.where(is_new.reshape(-1, *[1] * (mine.ndim - 1)), fresh, mine)
    return FadeState(**merged), is_new


def _with_others(after: FadeState, before: FadeState, time_s: float, settings: FadeSettings) -> FadeState:
    """Tracks that are away for a moment are remembered as they were."""
    away = ~np.isin(before.track_id, after.track_id)
    kept = before.select(away & (time_s - before.time_s <= settings.hold_s + settings.out_s))
    return FadeState(
        **{
            item.name: np.concatenate([getattr(after, item.name), getattr(kept, item.name)])
            for item in fields(FadeState)
        }
    )


def _left(since_s: np.ndarray, source: np.ndarray, settings: FadeSettings) -> np.ndarray:
    """(n, 5) how much of the distance at the change is left: from 1 to 0, gently at both ends."""
    lasts = np.where(source == OWN, settings.out_s, settings.in_s)
    done = (since_s / np.maximum(lasts, 1e-9)).clip(0.0, 1.0)
    return 1.0 - done * done * (3.0 - 2.0 * done)


def _smoothed(
    before: FadeState, time_s: float, seen: np.ndarray, rotations: np.ndarray, settings: FadeSettings
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 37, 3, 3) what is seen through the one-euro filter, else what was seen last; and (n, 37, 3) its speed."""
    step = time_s - before.seen_s
    goes_on = seen & (before.source == SEEN) & (step > 0) & (settings.calm_hz > 0)
    step = np.where(goes_on, step, 1.0)[:, GROUP_OF, None]
    turned = matrix_to_axis_angle(transposed(before.held) @ rotations)
    speed = before.speed + _share(_SPEED_CUTOFF_HZ, step) * (turned / step - before.speed)
    rate = np.linalg.norm(speed, axis=-1, keepdims=True)
    share = _share(settings.calm_hz + settings.speed_hz * rate, step)
    smooth = before.held @ part_of_turn(axis_angle_to_matrix(turned), share[..., 0])
    goes_on, seen = goes_on[:, GROUP_OF, None], seen[:, GROUP_OF, None]
    held = np.where(goes_on[..., None], smooth, np.where(seen[..., None], rotations, before.held))
    return held, np.where(goes_on, speed, np.where(seen, 0.0, before.speed))


def _share(cutoff_hz: np.ndarray | float, step_s: np.ndarray) -> np.ndarray:
    """How far a first-order low pass goes towards a new sample."""
    return step_s / (step_s + 1.0 / (2.0 * np.pi * np.maximum(cutoff_hz, 1e-6)))
