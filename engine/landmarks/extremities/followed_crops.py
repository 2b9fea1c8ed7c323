# SPDX-License-Identifier: GPL-3.0-or-later
"""Where hands and faces of the frame before were: the crops in which their points say they should be looked at next.

A crop goes along with a landmark of its body (a wrist, the middle of a face), so that fast hands stay in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...resuming.state_reader import StateReader
from ..observations import Crops, _People

_FARTHEST_PX = 1e6
"""Bound of places and sizes in a state that is read."""


@dataclass(frozen=True)
class FollowedCrops(_People):
    """Crops of one kind of thing, one row each."""

    track_id: np.ndarray
    """(m,) int64"""
    part: np.ndarray
    """(m,) int64: which one of a person's; a side of hands."""
    anchor_px: np.ndarray
    """(m, 2) where the body's landmark was."""
    crop: Crops

    def rows_of(self, track_id: np.ndarray, part: np.ndarray) -> np.ndarray:
        """(n,) its rows of these, -1 for none."""
        if not len(self):
            return np.full(len(track_id), -1)
        same = (track_id[:, None] == self.track_id[None]) & (part[:, None] == self.part[None])
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)

    def gone_along(self, rows: np.ndarray, anchor_px: np.ndarray) -> Crops:
        """The crops of some rows, now that the bodies' landmarks are at (n, 2)."""
        crop = self.crop.select(rows)
        return replace(crop, centre_px=crop.centre_px + anchor_px - self.anchor_px[rows])

    def export(self, name: str) -> dict[str, np.ndarray]:
        """Plain arrays, their names beginning with this one."""
        crop = self.crop
        arrays = {"track_id": self.track_id, "part": self.part, "anchor": self.anchor_px, "centre": crop.centre_px}
        arrays |= {"side": crop.side_px, "angle": crop.angle}
        return {f"{name}_{key}": array.copy() for key, array in arrays.items()}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray], name: str) -> FollowedCrops:
        """From `export`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("hands and faces", arrays)
        side = state.array(f"{name}_side", np.float64, "crops", most=_FARTHEST_PX)
        state.require(bool((side > 0).all()), f"{name}_side is no length")
        centre, anchor = (
            state.array(f"{name}_{key}", np.float64, "crops", 2, most=_FARTHEST_PX) for key in ("centre", "anchor")
        )
        ids, part = (state.array(f"{name}_{key}", np.int64, "crops") for key in ("track_id", "part"))
        return cls(ids, part, anchor, Crops(centre, side, state.array(f"{name}_angle", np.float64, "crops")))


def nothing_followed() -> FollowedCrops:
    """Before the first frame."""
    none = np.zeros(0, np.int64)
    return FollowedCrops(none, none, np.zeros((0, 2)), Crops(np.zeros((0, 2)), np.zeros(0), np.zeros(0)))
