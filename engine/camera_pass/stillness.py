# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a clip's camera stands still: its corners stay where they were in the first picture."""

from __future__ import annotations

import numpy as np

from ..stages.point_tracking import FINE_LEVELS, corners, follow, nearest

MEDIAN_PX, WORST_PX = 0.7, 1.0
"""Median motion of the corners against the first picture: over the frames, and in the worst of them. Clips from a
tripod have .30 and .56 at most, moving cameras 2.6 and more."""

_CORNERS = 300
_LEAST_FOUND = 9
"""Fewer corners say nothing about a frame."""
_LEAST_CORNERS = 30
"""Fewer are no picture to compare with, as in a film that fades in from black."""
_PATIENCE = 3
"""Pictures in a row in which next to nothing is found again: fewer are a flash, or damaged."""


class StillTest:
    """Watches picture after picture; takes no more time once the camera has moved."""

    def __init__(self, pixel_scale: float) -> None:
        """`pixel_scale` is how many centered pixels a pixel of the pictures is."""
        self._scale = pixel_scale
        self._first: np.ndarray | None = None
        self._corners = np.empty((0, 2))
        self._motions: list[float] = []
        self._moved = False
        self._lost = 0

    def update(self, picture: np.ndarray, free: np.ndarray) -> None:
        """The next picture (h, w) with even light; `free` (h, w) uint8 is 1 where nobody is."""
        if self._moved:
            return
        if self._first is None:
            found = corners(picture, free, _CORNERS)
            if len(found) >= _LEAST_CORNERS:
                self._first, self._corners = picture, found
            return
        there, found = follow(self._first, picture, self._corners, self._corners, FINE_LEVELS)
        found &= free[nearest(there, free)] > 0
        # Corners that a large motion loses say that there is one, as long as nobody stands before them.
        open_ = free[nearest(self._corners, free)] > 0
        if found.sum() >= _LEAST_FOUND:
            moved = np.linalg.norm(there - self._corners, axis=1)[found]
            self._motions.append(self._scale * float(np.median(moved)))
            self._moved = self._motions[-1] >= WORST_PX
            self._lost = 0
        elif open_.sum() >= _LEAST_CORNERS:
            self._lost += 1
            self._moved = self._lost >= _PATIENCE

    @property
    def is_still(self) -> bool:
        """Whether the camera stood still in all frames so far. A clip without any detail counts as still."""
        return not self._moved and (not self._motions or float(np.median(self._motions)) < MEDIAN_PX)
