# SPDX-License-Identifier: GPL-3.0-or-later
"""People who are as tall as somebody knows: their bodies, and with those their distance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..contract.body_model import BodyModel, stature_terms
from ..resuming.state_reader import StateReader

_LEAST_STATURE_M = 0.3
"""Betas of a shorter body are a network's mistake, and tell no factor."""


class KnownHeights:
    """Heights of the people of one capture. State is replaced, never changed in place."""

    def __init__(self, body: BodyModel, everybody: float | None, single: Mapping[int, float]) -> None:
        """`everybody` is how tall people are, in meters, and `single` single ones by their track, where that is
        known."""
        self._everybody, self._single = everybody, dict(single)
        self._at_rest, self._slopes = stature_terms(body)
        self._factors: dict[int, tuple[float, int]] = {}

    def update(self, track_id: np.ndarray, betas: np.ndarray, head_point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The (n, 10) betas and (n, 3) head joints of a frame's n people, camera frame, as they are with known heights.

        A body that is larger and farther away by the same factor covers the same pixels. The factor is the mean of
        all frames of a person so far: those of single frames differ, and would move people to and fro. Betas change as
        little as they can, so that proportions stay.
        """
        betas, head_point = betas.copy(), head_point.copy()
        factors = dict(self._factors)
        for row, track in enumerate(track_id.tolist()):
            known = self._single.get(track, self._everybody)
            stature = self._at_rest + float(betas[row] @ self._slopes)
            if known is None or stature < _LEAST_STATURE_M:
                continue
            total, frames = factors.get(track, (0.0, 0))
            factors[track] = total + np.log(known / stature), frames + 1
            head_point[row] *= np.exp(factors[track][0] / factors[track][1])
            betas[row] += self._slopes * (known - stature) / float(self._slopes @ self._slopes)
        self._factors = factors
        return betas, head_point

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        return {
            "track_id": np.array(list(self._factors), np.int64),
            "log_factors": np.array([total for total, _ in self._factors.values()]),
            "frames": np.array([frames for _, frames in self._factors.values()], np.int64),
        }

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        if not arrays:  # a resume file of an earlier version
            self._factors = {}
            return
        state = StateReader("the known heights", arrays)
        track_id = state.array("track_id", np.int64, "people")
        totals = state.array("log_factors", np.float64, "people")
        frames = state.array("frames", np.int64, "people")
        state.require(len(set(track_id.tolist())) == len(track_id), "somebody is in it twice")
        state.require(bool((frames >= 1).all()), "frames are not a count")
        # A mean factor beyond these is of nobody whose stature told one.
        state.require(bool((np.abs(totals) < _MOST_LOG_FACTOR * frames).all()), "factors are not those of heights")
        self._factors = dict(zip(track_id.tolist(), zip(totals.tolist(), frames.tolist(), strict=True), strict=True))


_MOST_LOG_FACTOR = 5.0
