# SPDX-License-Identifier: GPL-3.0-or-later
"""Video depth at metric scale (paper section 4, Bonn): no scale or shift is fitted, neither per frame nor per sequence.

Depth is z along the camera's axis in metres. A true depth that is not finite or not positive is unknown and not
counted. Predictions that are not finite or not positive count as a depth of zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WITHIN = 1.25
"""A pixel is right when the greater of prediction / truth and truth / prediction lies under this."""


@dataclass(frozen=True)
class DepthSums:
    """Sums over pixels, so that frames and sequences pool by addition, each pixel counting the same."""

    pixels: int = 0
    relative_error: float = 0.0
    """Sum of |prediction - truth| / truth."""
    within: int = 0
    """Pixels whose ratio lies under 1.25."""

    def __add__(self, other: DepthSums) -> DepthSums:
        return DepthSums(
            self.pixels + other.pixels, self.relative_error + other.relative_error, self.within + other.within
        )

    @property
    def abs_rel(self) -> float:
        """Mean relative error (AbsRel); NaN without pixels."""
        return self.relative_error / self.pixels if self.pixels else float("nan")

    @property
    def delta_125(self) -> float:
        """Share of pixels within a factor of 1.25; NaN without pixels."""
        return self.within / self.pixels if self.pixels else float("nan")


def compare_depth(prediction: np.ndarray, truth: np.ndarray, greatest_m: float = np.inf) -> DepthSums:
    """Compare depths of any equal shape; true depths from `greatest_m` on are left out (sensors end somewhere)."""
    prediction, truth = np.asarray(prediction, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if prediction.shape != truth.shape:
        raise ValueError(f"expected equal shapes, got {prediction.shape} and {truth.shape}")
    known = np.isfinite(truth) & (truth > 0) & (truth < greatest_m)
    true = truth[known]
    ours = prediction[known]
    ours = np.where(np.isfinite(ours) & (ours > 0), ours, 0.0)
    # Both ratios at once, without dividing by a prediction of zero.
    within = (ours < WITHIN * true) & (true < WITHIN * ours)
    return DepthSums(len(true), float(np.sum(np.abs(ours - true) / true)), int(within.sum()))
