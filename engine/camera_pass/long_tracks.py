# SPDX-License-Identifier: GPL-3.0-or-later
"""Corners followed from frame to frame for as long as they are seen (Lucas-Kanade, checked forth and back)."""

from __future__ import annotations

import cv2
import numpy as np

from ..stages.point_tracking import COARSE_LEVELS, FINE_LEVELS, corner_gap, corners, follow, nearest

MOST_CORNERS = 500
"""Followed at the same time."""

_FILL_BELOW = 0.75
"""Share of the most corners below which new ones are looked for at once ..."""
_FILL_EVERY = 5
"""... and frames after which they are looked for anyway."""

_SURE_SHARE = 0.8
"""Share of the corners that have to be found where the last motion leads; else the whole picture may have jumped."""

_FIXED_PX = 0.7
_MOVED_PX = 8.0
"""A corner that is within so much of where it began while the rest went so far is burnt into the picture: a logo."""

_EDGE = np.ones((5, 5), np.uint8)


class LongTracks:
    """The corners that are followed at present."""

    def __init__(self) -> None:
        self._track = np.empty(0, np.int64)
        self._pixel = np.empty((0, 2))
        self._begin = np.empty((0, 2))
        self._begin_travel = np.empty(0)
        self._velocity = np.empty((0, 2))
        self._travel = 0.0
        self._next = 0
        self._frames = 0
        self._grey: np.ndarray | None = None
        self._picture: np.ndarray | None = None
        self._logos: np.ndarray | None = None

    def update(self, grey: np.ndarray, picture: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The next frame: `grey` (h, w) uint8, `picture` the same with even light, `free` (h, w) 1 without people.

        Returns the numbers (n,) of the corners in it, ascending, and their (n, 2) pixels.
        """
        if self._logos is None:
            self._logos = np.zeros_like(free)
        if self._grey is not None and len(self._track):
            self._follow(grey, picture, free)
            self._drop_logos()
        if len(self._track) < _FILL_BELOW * MOST_CORNERS or self._frames % _FILL_EVERY == 0:
            self._fill(picture, free)
        self._grey, self._picture = grey, picture
        self._frames += 1
        return self._track.copy(), self._pixel.copy()

    def _follow(self, grey: np.ndarray, picture: np.ndarray, free: np.ndarray) -> None:
        assert self._grey is not None and self._picture is not None
        before = self._pixel
        there, found = follow(self._picture, picture, before, before + self._velocity, FINE_LEVELS)
        if found.sum() < _SURE_SHARE * len(before):
            coarse, moved = follow(self._grey, grey, before, before, COARSE_LEVELS)
            guess = before + (np.median((coarse - before)[moved], axis=0) if moved.any() else 0.0)
            guess[moved] = coarse[moved]
            again, refound = follow(self._picture, picture, before, guess, FINE_LEVELS)
            use = refound & ~found if found.sum() >= refound.sum() else refound
            there[use], found = again[use], found | refound
        found &= free[nearest(there, free)] > 0
        motion = there - before
        if found.any():
            self._travel += float(np.linalg.norm(np.median(motion[found], axis=0)))
        self._pixel, self._velocity = there, motion
        self._keep(found)

    def _drop_logos(self) -> None:
        gone = self._travel - self._begin_travel > _MOVED_PX
        fixed = gone & (np.linalg.norm(self._pixel - self._begin, axis=1) < _FIXED_PX)
        assert self._logos is not None
        for x, y in self._pixel[fixed]:
            cv2.circle(self._logos, (round(x), round(y)), 2 * corner_gap(self._logos), 1, -1)
        # What has once moved away is no logo, and may come back to where it began.
        moved = gone & ~fixed
        self._begin[moved], self._begin_travel[moved] = self._pixel[moved], self._travel
        self._keep(~fixed)

    def _fill(self, picture: np.ndarray, free: np.ndarray) -> None:
        assert self._logos is not None
        usable = cv2.erode(free * (1 - self._logos), _EDGE, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        for x, y in self._pixel:
            cv2.circle(usable, (round(x), round(y)), corner_gap(picture), 0, -1)
        new = corners(picture, usable, MOST_CORNERS - len(self._track))
        around = np.median(self._velocity, axis=0) if len(self._velocity) else np.zeros(2)
        self._track = np.concatenate([self._track, np.arange(self._next, self._next + len(new))])
        self._pixel = np.concatenate([self._pixel, new])
        self._begin = np.concatenate([self._begin, new])
        self._begin_travel = np.concatenate([self._begin_travel, np.full(len(new), self._travel)])
        self._velocity = np.concatenate([self._velocity, np.tile(around, (len(new), 1))])
        self._next += len(new)

    def _keep(self, kept: np.ndarray) -> None:
        self._track, self._pixel, self._velocity = self._track[kept], self._pixel[kept], self._velocity[kept]
        self._begin, self._begin_travel = self._begin[kept], self._begin_travel[kept]
