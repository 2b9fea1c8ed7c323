# SPDX-License-Identifier: GPL-3.0-or-later
"""Local polynomial fits: smoothing without lag, for any frame rate, up to the ends of a stretch.

Around every frame a parabola is fitted to its neighbours, near ones counting most (tricube weights), and its value
there is the result.
"""

from __future__ import annotations

import numpy as np

DEGREE = 2
_SAME_STEP_S = 1e-6
"""Frames whose neighbours lie equally to within this share their weights."""


class LocalFit:
    """The smoother of one stretch of frames; linear, so that its weights say what it does to noise."""

    def __init__(self, time_s: np.ndarray, half_width_s: float) -> None:
        """`time_s` (T,) rising times; a window of three frames or fewer leaves its middle frame as it is."""
        time_s = np.asarray(time_s, dtype=np.float64)
        count = len(time_s)
        self._first = np.searchsorted(time_s, time_s - half_width_s, side="right")
        last = np.searchsorted(time_s, time_s + half_width_s, side="left")
        self._weights = np.zeros((count, int((last - self._first).max(initial=1))))
        known: dict[bytes, np.ndarray] = {}
        for frame in range(count):
            near = time_s[self._first[frame] : last[frame]] - time_s[frame]
            key = np.round(near / _SAME_STEP_S).astype(np.int64).tobytes()
            if key not in known:
                known[key] = _weights(near / half_width_s)
            self._weights[frame, : len(near)] = known[key]

    def apply(self, values: np.ndarray) -> np.ndarray:
        """(T, ...) samples to (T, ...) smoothed ones."""
        values = np.asarray(values, dtype=np.float64)
        result = np.zeros_like(values)
        for place in range(self._weights.shape[1]):
            index = np.minimum(self._first + place, len(values) - 1)
            result += self._weights[:, place].reshape(-1, *(1,) * (values.ndim - 1)) * values[index]
        return result

    def noise_gain(self, other: LocalFit | None = None) -> np.ndarray:
        """(T,) variance of white unit noise after this smoother, or after the difference of two.

        Without `other` it is that of the residual: the samples less the smoothed samples.
        """
        own = self._spread()
        if other is None:
            middle = np.take_along_axis(self._weights, (np.arange(len(own)) - self._first)[:, None], axis=1)[:, 0]
            return 1 - 2 * middle + own
        shift = (self._first - other._first)[:, None] + np.arange(self._weights.shape[1])
        inside = (shift >= 0) & (shift < other._weights.shape[1])
        partner = np.take_along_axis(other._weights, np.where(inside, shift, 0), axis=1)
        return own + other._spread() - 2 * (self._weights * np.where(inside, partner, 0)).sum(axis=1)

    def _spread(self) -> np.ndarray:
        return (self._weights**2).sum(axis=1)


def _weights(offset: np.ndarray) -> np.ndarray:
    """Weights of samples at (n,) offsets from the frame, in half widths, in the parabola's value at the frame."""
    if len(offset) <= DEGREE + 1:
        return (offset == 0).astype(np.float64)
    powers = offset[:, None] ** np.arange(DEGREE + 1)
    weighted = powers * ((1 - np.abs(offset) ** 3) ** 3)[:, None]
    return np.linalg.solve(powers.T @ weighted, weighted.T)[0]
