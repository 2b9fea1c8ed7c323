# SPDX-License-Identifier: GPL-3.0-or-later
"""Where soles are, and the lowest level that people stand on where there are several: a floor, a wall, stairs."""

from __future__ import annotations

import numpy as np

BALL_ABOVE_SOLE_M, ANKLE_ABOVE_SOLE_M = 0.02, 0.07
"""How high the joints at the ball of the foot and at the ankle lie above the sole."""

_STEPS = 5
"""Heights that are tried for each sigma."""
_REACH = 3.0
"""Sigmas below the lowest and above the highest feet that heights are tried."""
_MOST_HEIGHTS = 4000
"""That are tried."""

_LEAST_STANCES = 3.0
_LEAST_SHARE = 0.05
"""Of the stances, that have to agree on a level: feet that were mistaken once lie anywhere."""
_SMALL_PART = 0.25
"""Of very few stances, this part is enough."""
_VALLEY = 0.5
"""Levels are apart where feet between them are less dense than this share of the lower level."""
_MEMBER_SIGMAS = 2.0


def lower_soles(ankles: np.ndarray, balls: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(P, 3) the lowest point under ankle or ball of either foot, of (P, 2, 3) each."""
    candidates = np.concatenate([balls - BALL_ABOVE_SOLE_M * up, ankles - ANKLE_ABOVE_SOLE_M * up], axis=1)
    return np.take_along_axis(candidates, (candidates @ up).argmin(axis=1)[:, None, None], axis=1)[:, 0]


def on_lowest_level(heights: np.ndarray, sigma: float) -> np.ndarray:
    """(N,) bool: which of (N,) heights of people's lower feet are on the lowest level that several of them agree on.

    `sigma` is how far feet that stand may be off it, metres. Feet in the air, and some that are too low by mistake, are
    on no level. All where nothing agrees.
    """
    if len(heights) < 2:
        return np.ones(len(heights), bool)
    level = _lowest_level(np.asarray(heights, dtype=np.float64), sigma)
    if level is None:
        return np.ones(len(heights), bool)
    return np.abs(heights - level) < _MEMBER_SIGMAS * sigma


def _lowest_level(heights: np.ndarray, sigma: float) -> float | None:
    places, density = _density(heights, sigma)
    needed = max(min(_LEAST_STANCES, _SMALL_PART * len(heights)), _LEAST_SHARE * len(heights))
    best: int | None = None
    for place, value in enumerate(density):
        if best is None or value > density[best]:
            best = place
        elif value < _VALLEY * density[best]:
            if density[best] >= needed:
                return float(places[best])
            best = None  # too few to be a level: they are left out
    return None


def _density(heights: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Heights in steps, and how many feet are about there: 1 for one that is there exactly."""
    step = sigma / _STEPS
    reach = int(_REACH * _STEPS)
    # Feet farther from the others than all heights that are tried are mistakes.
    low = max(float(heights.min()), float(np.median(heights)) - _MOST_HEIGHTS * step / 2)
    bins = np.round((heights - low) / step)
    counts = np.bincount(bins[(bins >= 0) & (bins < _MOST_HEIGHTS)].astype(int) + reach)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _STEPS) ** 2)
    density = np.convolve(counts, kernel)[reach:]
    return low + step * (np.arange(len(density)) - reach), density
