# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who from frame to frame, by optimal transport between tokens of people.

Paper section 3.2 (Human Segmentation and Tracking). No training, no motion model: the refined
prompt of a person identifies him or her.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.errors import UserError
from ..resuming.state_reader import StateReader

DUSTBIN_SCORE = -10.0
"""Score of staying unmatched: minus the token distance at which two people are rather different than the same."""

SINKHORN_ITERATIONS = 20

LEAST_ASSIGNMENT = 0.2
"""Least share of the transport plan that counts as a match."""


@dataclass(frozen=True)
class TrackerSettings:
    """How people are told apart."""

    memory_frames: int = 10_000
    """Frames after which a lost person is forgotten; bounds the bank however long the video is."""

    def __post_init__(self) -> None:
        if self.memory_frames < 1:
            raise UserError(
                "bad-setting",
                "The setting memory_frames is {memory_frames}.",
                "Use 1 or more frames.",
                memory_frames=self.memory_frames,
            )


def token_scores(bank: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Minus the L2 distances between (m, D) and (n, D) tokens: (m, n) float64."""
    bank, current = np.asarray(bank, np.float64), np.asarray(current, np.float64)
    return -np.stack([np.linalg.norm(bank - token, axis=1) for token in current], axis=1)


def log_optimal_transport(scores: np.ndarray) -> np.ndarray:
    """Sinkhorn's algorithm in log space on (m, n) scores with a dustbin row and column.

    Returns the (m + 1, n + 1) log assignment; a real row or column sums to 1 (up to convergence), a dustbin takes as
    much as the other side has tokens. Rows are normalised before columns; both m and n are at least 1.
    """
    m, n = scores.shape
    padded = np.full((m + 1, n + 1), DUSTBIN_SCORE)
    padded[:m, :n] = scores
    norm = -np.log(m + n)
    row_mass = np.append(np.zeros(m), np.log(n)) + norm
    column_mass = np.append(np.zeros(n), np.log(m)) + norm
    row, column = np.zeros(m + 1), np.zeros(n + 1)
    for _ in range(SINKHORN_ITERATIONS):
        row = row_mass - _log_sum_exp(padded + column[None, :], axis=1)
        column = column_mass - _log_sum_exp(padded + row[:, None], axis=0)
    return padded + row[:, None] + column[None, :] - norm


def match(log_assignment: np.ndarray) -> np.ndarray:
    """The (n,) bank row of each current token in an (m + 1, n + 1) log assignment, -1 for none.

    A match is the best of its row and of its column among the real tokens and above :data:`LEAST_ASSIGNMENT`.
    """
    real = log_assignment[:-1, :-1]
    best_row, best_column = real.argmax(axis=0), real.argmax(axis=1)
    columns = np.arange(real.shape[1])
    mutual = best_column[best_row] == columns
    return np.where(mutual & (np.exp(real[best_row, columns]) > LEAST_ASSIGNMENT), best_row, -1)


def _log_sum_exp(values: np.ndarray, axis: int) -> np.ndarray:
    highest = values.max(axis=axis, keepdims=True)
    return np.log(np.exp(values - highest).sum(axis=axis)) + highest.squeeze(axis)


class PersonTracker:
    """Gives every detected person an identity that stays. Ids count from 0 and are never used twice."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.settings = settings or TrackerSettings()
        self._tokens = np.zeros((0, 0), np.float32)
        self._ids = np.zeros(0, np.int64)
        self._last_seen = np.zeros(0, np.int64)
        self._next_id = 0
        self._frame = 0

    def fits(self, width: int) -> bool:
        """Whether the tokens that are remembered can be compared with tokens of this width."""
        return len(self._tokens) == 0 or self._tokens.shape[1] == width

    def update(self, tokens: np.ndarray) -> np.ndarray:
        """Identities of one frame's people.

        ``tokens`` is (n, D) float, :attr:`.prediction.People.token` in its order, n = 0 included (the bank stays, the
        clock goes on). Returns (n,) int64.
        """
        tokens = np.array(tokens, np.float32)  # a copy: it may become the bank
        self._frame += 1
        self._forget()
        if not len(tokens):
            return np.zeros(0, np.int64)
        if len(self._ids):
            source = match(log_optimal_transport(token_scores(self._tokens, tokens)))
        else:
            source = np.full(len(tokens), -1)
        fresh = source < 0
        ids = np.empty(len(tokens), np.int64)
        ids[~fresh] = self._ids[source[~fresh]]
        ids[fresh] = self._next_id + np.arange(fresh.sum())
        self._next_id += int(fresh.sum())
        lost = np.ones(len(self._ids), bool)
        lost[source[~fresh]] = False
        self._tokens = np.concatenate([tokens, self._tokens[lost]]) if lost.any() else tokens
        self._last_seen = np.concatenate([np.full(len(tokens), self._frame), self._last_seen[lost]])
        self._ids = np.concatenate([ids, self._ids[lost]])
        return ids

    def _forget(self) -> None:
        kept = self._frame - self._last_seen <= self.settings.memory_frames
        if not kept.all():
            self._tokens, self._ids, self._last_seen = self._tokens[kept], self._ids[kept], self._last_seen[kept]

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        return {
            "tokens": self._tokens.copy(),
            "ids": self._ids.copy(),
            "last_seen": self._last_seen.copy(),
            "counters": np.array([self._next_id, self._frame]),
        }

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the people", arrays)
        self._tokens = state.array("tokens", np.float32, "people", "width")
        self._ids = state.array("ids", np.int64, "people")
        self._last_seen = state.array("last_seen", np.int64, "people")
        self._next_id, self._frame = state.counts("counters", 2)
        state.require(
            bool(((self._ids >= 0) & (self._ids < self._next_id)).all())
            and len(np.unique(self._ids)) == len(self._ids),
            "ids are not those that were given",
        )
        state.require(
            bool(((self._last_seen >= 0) & (self._last_seen <= self._frame)).all()), "last_seen is not in the past"
        )
