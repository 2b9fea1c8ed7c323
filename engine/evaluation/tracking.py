# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities over time: switches (CLEAR MOT, Bernardin and Stiefelhagen 2008) and IDF1 (Ristani et al. 2016)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True)
class TrackingCounts:
    """Counts over clips; they pool by addition."""

    id_switches: int = 0
    """How often a true person came to be followed by another identity than before."""
    id_true_positives: int = 0
    """Frames in which people carry the one identity that suits them best over the whole clip."""
    truths: int = 0
    """True people, counted in every frame."""
    predictions: int = 0

    def __add__(self, other: TrackingCounts) -> TrackingCounts:
        return TrackingCounts(
            self.id_switches + other.id_switches,
            self.id_true_positives + other.id_true_positives,
            self.truths + other.truths,
            self.predictions + other.predictions,
        )

    @property
    def idf1(self) -> float:
        """Share of people and predictions with the right identity; NaN where there is neither."""
        whole = self.truths + self.predictions
        return 2.0 * self.id_true_positives / whole if whole else float("nan")


@dataclass(frozen=True)
class IdentityFrame:
    """One picture's identities. `distance[t, p]` is NaN where true person t and prediction p cannot be the same."""

    truth_ids: np.ndarray
    """(T,) int"""
    prediction_ids: np.ndarray
    """(P,) int"""
    distance: np.ndarray
    """(T, P), smaller is better."""


def count_tracking(frames: Iterable[IdentityFrame]) -> TrackingCounts:
    """Count over one clip; the frames in order of time."""
    frames = list(frames)
    return TrackingCounts(
        _count_switches(frames),
        _count_right_identities(frames),
        sum(len(frame.truth_ids) for frame in frames),
        sum(len(frame.prediction_ids) for frame in frames),
    )


def _count_switches(frames: list[IdentityFrame]) -> int:
    """A person keeps the identity of before while that is possible; the rest are matched at the least distance."""
    followed: dict[int, int] = {}
    switches = 0
    for frame in frames:
        distance = np.asarray(frame.distance, dtype=np.float64).copy()
        prediction_column = {int(identity): column for column, identity in enumerate(frame.prediction_ids)}
        for row, truth in enumerate(frame.truth_ids):
            column = prediction_column.get(followed[int(truth)]) if int(truth) in followed else None
            if column is not None and np.isfinite(distance[row, column]):
                distance[row, :] = np.nan
                distance[:, column] = np.nan
        for row, column in _least_matching(distance):
            truth, prediction = int(frame.truth_ids[row]), int(frame.prediction_ids[column])
            switches += followed.get(truth, prediction) != prediction
            followed[truth] = prediction
    return switches


def _count_right_identities(frames: list[IdentityFrame]) -> int:
    """Most frames that a one-to-one assignment of predicted to true identities, fixed for the clip, can explain."""
    truth_ids = sorted({int(identity) for frame in frames for identity in frame.truth_ids})
    prediction_ids = sorted({int(identity) for frame in frames for identity in frame.prediction_ids})
    row_of = {identity: row for row, identity in enumerate(truth_ids)}
    column_of = {identity: column for column, identity in enumerate(prediction_ids)}
    together = np.zeros((len(truth_ids), len(prediction_ids)), dtype=np.int64)
    for frame in frames:
        for row, column in np.argwhere(np.isfinite(frame.distance)):
            together[row_of[int(frame.truth_ids[row])], column_of[int(frame.prediction_ids[column])]] += 1
    rows, columns = linear_sum_assignment(together, maximize=True)
    return int(together[rows, columns].sum())


def _least_matching(distance: np.ndarray) -> list[tuple[int, int]]:
    """As many pairs as possible at the least total distance, NaN pairs excluded."""
    possible = np.isfinite(distance)
    if not possible.any():
        return []
    # Dearer than any set of possible pairs together, so that an impossible pair is never chosen to save on others.
    forbidden = 1.0 + 2.0 * (distance[possible].max() - min(distance[possible].min(), 0.0)) * min(distance.shape)
    rows, columns = linear_sum_assignment(np.where(possible, distance, forbidden))
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if possible[row, column]]
