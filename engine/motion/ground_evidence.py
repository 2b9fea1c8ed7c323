# SPDX-License-Identifier: GPL-3.0-or-later
"""What a found floor rests on: how many soles, upright people and points agree with it, and how well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_NEAR_M = 0.05
"""Points of the floor lie within this of it."""
_UPRIGHT = 0.5
"""Bodies that are straighter than this are upright."""
_TO_SIGMA = 1.4826
"""From the median of absolute errors to their standard deviation."""


@dataclass(frozen=True)
class GroundEvidence:
    """How much agrees with a floor. Counts are over the frames that were looked at."""

    soles: int
    """Lower soles of people who stand on it, one for each person and frame."""
    sole_spread_m: float
    """Typical distance of these soles from it, meters; 0 without soles."""
    upright: int
    """Bodies that stand straight."""
    lean_deg: float
    """Typical angle between these bodies and its normal, degrees; 0 without bodies."""
    points: int
    """Scene points within 5 cm of it."""


def measure_evidence(
    points: np.ndarray, heights: np.ndarray, leans_deg: np.ndarray, straight: np.ndarray
) -> GroundEvidence:
    """The evidence for a floor.

    `points` (N,) heights of scene points and `heights` (P,) of soles that stand, meters above the floor; `leans_deg`
    (B,) angles of bodies off its normal and `straight` (B,) how straight each body is, from 0 to 1.
    """
    leans = leans_deg[straight > _UPRIGHT]
    return GroundEvidence(
        soles=len(heights),
        sole_spread_m=_TO_SIGMA * _median(np.abs(heights)),
        upright=len(leans),
        lean_deg=_median(leans),
        points=int((np.abs(points) < _NEAR_M).sum()),
    )


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else 0.0
