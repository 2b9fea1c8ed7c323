# SPDX-License-Identifier: GPL-3.0-or-later
"""What a found floor rests on: how many feet, upright people and points agree with it, and how well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .standing_feet import StandingFeet

_NEAR_M = 0.05
"""Points of the floor lie within this of it."""
_SAME_LEVEL_M = 0.2
"""Feet that stand farther from a floor are on another one, or were seen wrong."""
_TO_SIGMA = 1.4826
"""From the median of absolute errors to their standard deviation."""


@dataclass(frozen=True)
class GroundEvidence:
    """How much agrees with a floor, in the frames that were looked at."""

    people: int
    """Whose feet stand on it."""
    standing_s: float
    """How long, added up over these people, seconds."""
    steps: int
    """Times that a foot was put down on it."""
    sole_spread_m: float
    """Typical distance of these soles from it, meters; 0 without any."""
    upright: int
    """Bodies that stand straight, one for each person and frame."""
    lean_deg: float
    """Typical angle between these bodies and its normal, degrees; 0 without bodies."""
    points: int
    """Scene points within 5 cm of it."""


def measure_evidence(
    heights: Callable[[np.ndarray], np.ndarray], points: np.ndarray, feet: StandingFeet, leans_deg: np.ndarray
) -> GroundEvidence:
    """The evidence for a floor.

    `heights` tells how far above it (..., 3) places are, meters; `points` (N, 3) are static, `leans_deg` (B,) the
    angles between upright bodies and its normal.
    """
    off = heights(feet.place)
    own = np.abs(off) < _SAME_LEVEL_M
    people = np.unique(feet.person[own])
    return GroundEvidence(
        people=len(people),
        standing_s=round(float(feet.seconds[own].sum()), 2),
        steps=int(own.sum()),
        sole_spread_m=_TO_SIGMA * _median(np.abs(off[own])),
        upright=len(leans_deg),
        lean_deg=_median(leans_deg),
        points=int((np.abs(heights(points)) < _NEAR_M).sum()),
    )


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else 0.0
