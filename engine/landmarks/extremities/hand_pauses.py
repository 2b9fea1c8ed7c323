# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hands are not worth a look in every frame: those of which nothing could be used the last times.

Whoever holds something or shows the edge of his hand does so for a while, and a look that is refused costs more than
one that is used. A hand of which the network was not sure may be used in the next frame: it gets no pause. One that was
used is looked at in every frame, and so is one that has moved or grown since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...resuming.state_reader import StateReader
from ..observations import FollowedPeople, _People

_PATIENCE = 2
"""Looks in a row that have to be refused before there are pauses."""
_PAUSE = 2
"""Frames between two looks then."""

_MOVED = 0.25
"""Of the trunk's length, that a wrist has moved against the hips: the arm is somewhere else."""
_GROWN = 1.3
"""Times that the trunk has grown: what was too small may be large enough."""

_MOST_PX = 1e6
"""Bound of places in a state that is read."""
_WRISTS = np.array([15, 16])
_HIPS, _NECK = 33, 34
"""Landmarks of the body."""


@dataclass(frozen=True)
class HandPauses(_People):
    """Hands that were refused when they were last looked at, one row each."""

    track_id: np.ndarray
    """(m,) int64"""
    side: np.ndarray
    """(m,) int64"""
    refused: np.ndarray
    """(m,) int64: looks in a row."""
    waited: np.ndarray
    """(m,) int64: frames since the last of them."""
    wrist: np.ndarray
    """(m, 2) at that time, from the hips in trunks."""
    trunk_px: np.ndarray
    """(m,) at that time."""

    def resting(self, people: FollowedPeople, person: np.ndarray, side: np.ndarray) -> np.ndarray:
        """(h,) bool: which of the hands of these rows of people need no look in this frame."""
        known = self._rows_of(people.track_id[person], side)
        if not len(self):
            return known >= 0
        wrist, trunk_px = _poses(people, person, side)
        pausing = (self.refused[known] >= _PATIENCE) & (self.waited[known] < _PAUSE)
        moved = np.linalg.norm(wrist - self.wrist[known], axis=-1) > _MOVED
        grown = trunk_px > _GROWN * self.trunk_px[known]
        return (known >= 0) & pausing & ~moved & ~grown

    def after(self, people: FollowedPeople, person: np.ndarray, side: np.ndarray, refused: np.ndarray) -> HandPauses:
        """When hands of a frame have been looked at; `refused` (h,) bool: those that seem to be none at all.

        Those not looked at wait on.
        """
        looked = self._rows_of(people.track_id[person], side)
        waiting = np.setdiff1d(np.flatnonzero(np.isin(self.track_id, people.track_id)), looked)
        wrist, trunk_px = _poses(people, person, side)
        before = np.where(looked >= 0, self.refused[looked], 0) if len(self) else np.zeros(len(side), np.int64)
        ids, waited = people.track_id[person], np.zeros(len(side), np.int64)
        old, new = self.select(waiting), HandPauses(ids, side, before + 1, waited, wrist, trunk_px).select(refused)
        old = replace(old, waited=old.waited + 1)
        return HandPauses(*(np.concatenate([vars(old)[name], array]) for name, array in vars(new).items()))

    def export(self) -> dict[str, np.ndarray]:
        """Plain arrays."""
        return {f"pauses_{name}": array.copy() for name, array in vars(self).items()}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> HandPauses:
        """From `export`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("hands and faces", arrays)
        ids, side, refused, waited = (
            state.array(f"pauses_{name}", np.int64, "m") for name in ("track_id", "side", "refused", "waited")
        )
        state.require(bool((refused > 0).all()) and bool((waited >= 0).all()), "pauses are not counts")
        wrist = state.array("pauses_wrist", np.float64, "m", 2, most=_MOST_PX)
        return cls(ids, side, refused, waited, wrist, state.array("pauses_trunk_px", np.float64, "m", most=_MOST_PX))

    def _rows_of(self, track_id: np.ndarray, side: np.ndarray) -> np.ndarray:
        """(h,) its rows of these hands, -1 for none."""
        if not len(self):
            return np.full(len(track_id), -1)
        same = (track_id[:, None] == self.track_id) & (side[:, None] == self.side)
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)


def no_pauses() -> HandPauses:
    """Before the first frame."""
    none = np.zeros(0, np.int64)
    return HandPauses(none, none, none, none, np.zeros((0, 2)), np.zeros(0))


def _poses(people: FollowedPeople, person: np.ndarray, side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(h, 2) wrists from the hips, in trunks, and (h,) the trunks' lengths, pixels."""
    point = people.landmarks.point_px[person].astype(np.float64)
    hips = point[:, _HIPS]
    trunk_px = np.maximum(np.linalg.norm(point[:, _NECK] - hips, axis=-1), 1.0)
    return (point[np.arange(len(side)), _WRISTS[side]] - hips) / trunk_px[:, None], trunk_px
