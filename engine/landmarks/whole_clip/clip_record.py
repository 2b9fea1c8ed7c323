# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen in a whole clip, frame by frame, for the final pass: the bodies' landmarks, hands and faces."""

from __future__ import annotations

import numpy as np

from ...contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ...resuming.state_reader import StateReader
from ..extremities.extremities import REPLACED
from ..observations import FollowedPeople
from .clip_observations import ClipObservations, ObservationStore

_MOST_TURN = 4.0
"""Radians; an axis-angle has pi at most."""


class ClipRecord:
    """All frames so far, those without people included. State is replaced, never changed in place."""

    def __init__(self) -> None:
        self._store = ObservationStore()
        self._turns: tuple[np.ndarray, ...] = ()
        self.frame_count = 0

    def add(self, time_s: float, people: FollowedPeople, turns: np.ndarray) -> None:
        """Take in the next frame; `turns` (n, 37, 3, 3) are the joints REPLACED as they were shown."""
        self._store = self._store.copied()
        self._store.add(self.frame_count, time_s, people)
        self.frame_count += 1
        if len(people):
            parts = [*self._turns, matrix_to_axis_angle(turns).astype(np.float32)]
            while len(parts) > 1 and len(parts[-2]) < 2 * len(parts[-1]):
                parts[-2:] = [np.concatenate(parts[-2:])]
            self._turns = tuple(parts)

    def observations(self) -> ClipObservations:
        """The N rows of all people in all frames, in the order of the frames."""
        return self._store.observations()

    def turns(self) -> np.ndarray:
        """(N, 37, 3, 3) hands and heads of the same rows."""
        return axis_angle_to_matrix(self._joined_turns())

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        own = {"turns": self._joined_turns(), "frame_count": np.array(self.frame_count)}
        return self._store.export_state() | own

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the people seen so far", arrays)
        turns = state.array("turns", np.float32, "N", len(REPLACED), 3, most=_MOST_TURN)
        store, frame_count = ObservationStore(), state.count("frame_count")
        store.restore_state(arrays)
        frames = store.observations().frame_index
        state.require(len(frames) == len(turns), "hands and bodies are not of the same people")
        state.require(not len(frames) or 0 <= frames[0] <= frames[-1] < frame_count, "frames are not those so far")
        self._store, self._turns, self.frame_count = store, (turns,) if len(turns) else (), frame_count

    def _joined_turns(self) -> np.ndarray:
        return np.concatenate([np.zeros((0, len(REPLACED), 3), np.float32), *self._turns])
