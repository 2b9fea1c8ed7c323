# SPDX-License-Identifier: GPL-3.0-or-later
"""Focal length and principal point of each frame, from its point map (paper section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

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


class IntrinsicsEstimator:
    """One focal length per frame; where a point map gives none, that of the last frame which did."""

    def __init__(self, settings: IntrinsicsSettings | None = None) -> None:
        self.settings = settings or IntrinsicsSettings()
        self._last: float | None = None

    def update(self, points: Tensor) -> Intrinsics:
        """Intrinsics of the frame whose (H, W, 3) point map in the camera frame is given."""
        settings = self.settings
        height, width = points.shape[:2]
        center = principal_point(height, width)
        focal, longest = float(weiszfeld_focal(points.float(), center)), max(height, width)
        if settings.least_focal * longest <= focal <= settings.greatest_focal * longest:  # false for NaN
            self._last = focal
        elif self._last is None:
            focal = focal_from_field_of_view(settings.default_field_of_view, width)
        else:
            focal = self._last
        return Intrinsics(focal, (float(center[0]), float(center[1])))

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        return {"last_focal": np.array(np.nan if self._last is None else self._last)}

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the focal length", arrays)
        last = float(state.array("last_focal", np.float64, most=None))
        state.require(np.isnan(last) or 0 < last < MOST, "last_focal is no length")
        self._last = None if np.isnan(last) else last
