# SPDX-License-Identifier: GPL-3.0-or-later
"""Focal length and principal point of each frame, from its point map (paper section 3.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ..contract.errors import UserError
from ..geometry.cameras import focal_from_field_of_view, principal_point, weiszfeld_focal
from ..resuming.state_reader import MOST, StateReader


@dataclass(frozen=True)
class IntrinsicsSettings:
    """When an estimated focal length is believed."""

    least_focal: float = 0.25
    """Smallest believable focal length, as a share of the picture's long side (0.25: it sees 127 degrees)."""
    greatest_focal: float = 20.0
    """Largest believable focal length, as a share of the picture's long side (20: it sees 3 degrees)."""
    default_field_of_view: float = 60.0
    """Horizontal field of view in degrees that is assumed until a believable estimate comes."""

    def __post_init__(self) -> None:
        if not 0 < self.least_focal < self.greatest_focal:
            raise UserError(
                "bad-setting",
                "The limits of the focal length are not in order.",
                "Use a least_focal above 0 and below greatest_focal.",
            )
        if not 0 < self.default_field_of_view < 180:
            raise UserError(
                "bad-setting",
                "The setting default_field_of_view is {default_field_of_view}.",
                "Use degrees between 0 and 180.",
                default_field_of_view=self.default_field_of_view,
            )


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera with square pixels, in pixels of the CUT3R image (top-left pixel's centre at (0, 0))."""

    focal_px: float
    """Focal length."""
    principal_point: tuple[float, float]
    """(x, y)."""
    depth_factor: float = 1.0
    """By what the depths of the point map are to be multiplied to lie where the picture shows them."""


def focal_of(points: Tensor) -> float:
    """What a (H, W, 3) point map in the camera frame says by itself, pixels: anything, where no pinhole explains it."""
    height, width = points.shape[:2]
    return float(weiszfeld_focal(points.float(), principal_point(height, width)))


class IntrinsicsEstimator:
    """One focal length per frame; where a point map gives none, that of the last frame which did."""

    def __init__(
        self, settings: IntrinsicsSettings | None = None, told_px: float | None = None, is_constant: bool = False
    ) -> None:
        """`told_px` is the focal length where it is known, pixels of the CUT3R image; with `is_constant` it is the mean
        of what the point maps have said so far."""
        self.settings = settings or IntrinsicsSettings()
        self._told, self._is_constant = told_px, is_constant
        self._last: float | None = None
        self._log_sum, self._count = 0.0, 0

    @property
    def mean_px(self) -> float | None:
        """The (geometric) mean of the estimates so far; None before the first."""
        return float(np.exp(self._log_sum / self._count)) if self._count else None

    def update(self, points: Tensor) -> Intrinsics:
        """Intrinsics of the frame whose (H, W, 3) point map in the camera frame is given."""
        return self.take_in(focal_of(points), (points.shape[1], points.shape[0]))

    def take_in(self, focal: float, size: tuple[int, int]) -> Intrinsics:
        """Intrinsics of the frame, `size` pixels wide and high, whose point map said this (:func:`focal_of`)."""
        found = self._believed(focal, size)
        better = self._told
        if better is None and self._is_constant:
            better = self.mean_px
        if better is None:
            return found
        return replace(found, focal_px=better, depth_factor=better / found.focal_px)

    def _believed(self, focal: float, size: tuple[int, int]) -> Intrinsics:
        settings = self.settings
        width, height = size
        center, longest = principal_point(height, width), max(height, width)
        if settings.least_focal * longest <= focal <= settings.greatest_focal * longest:  # false for NaN
            self._last = focal
            self._log_sum, self._count = self._log_sum + math.log(focal), self._count + 1
        elif self._last is None:
            focal = focal_from_field_of_view(settings.default_field_of_view, width)
        else:
            focal = self._last
        return Intrinsics(focal, (float(center[0]), float(center[1])))

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        return {
            "last_focal": np.array(np.nan if self._last is None else self._last),
            "mean_px": np.array(np.nan if self.mean_px is None else self.mean_px),
            "count": np.array(self._count),
        }

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the focal length", arrays)
        last = float(state.array("last_focal", np.float64, most=None))
        state.require(np.isnan(last) or 0 < last < MOST, "last_focal is no length")
        self._last = None if np.isnan(last) else last
        self._log_sum, self._count = 0.0, 0
        # Resume files of earlier versions have no mean.
        if "count" in state and (count := state.count("count")):
            mean = float(state.array("mean_px", np.float64))
            state.require(0 < mean < MOST, "mean_px is no length")
            self._log_sum, self._count = count * math.log(mean), count
