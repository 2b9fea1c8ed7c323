# SPDX-License-Identifier: GPL-3.0-or-later
"""What people in the picture say about the camera's focal length.

A wider lens at a shorter distance shows the near parts of a body larger than the far ones, and the networks' metres say
how much nearer they are: for a row of focal lengths, the same ones always, it is seen how well both agree, so that
evidence adds up over people and time. It needs no floor and no still camera.

People's lean against the floor was tried too and left out: the networks draw people towards upright in the picture, so
that it asked for long lenses in every clip whose focal length is known (3.0 and 4.6 times the long side for 1.2 and
0.8), and a floor of two levels (somebody on a wall) deceives it altogether.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from ...resuming.state_reader import StateReader
from .placing import PLACED, place_landmarks, sizes_px, weights

LOG_GRID = np.linspace(np.log(0.25), np.log(6.0), 33)
"""Focal lengths that are tried: logarithms of shares of the picture's long side, from fisheye to long lens."""

BLOCK_S = 0.5
"""Errors of frames nearer than this in time are the same: together they count as one observation."""

_SAMPLES_PER_BLOCK = 5
"""Frames that are looked at in a block; more would say the same again."""

_ERROR_SHARE = 0.025
"""Standard error of a landmark, as a share of the person's size in the picture."""

_LEAST_INSIDE = 28
"""Landmarks of the 33 that must lie in the picture."""

MOST_BLOCKS = 2000
"""Bound of the memory (about 600 kB): of more, every second one is forgotten."""


@dataclass(frozen=True)
class Blocks:
    """Evidence of B blocks: one person in half a second. G focal lengths of `LOG_GRID`. Sums over the block's rows."""

    track_id: np.ndarray
    """(B,) int64"""
    slot: np.ndarray
    """(B,) int64: time / `BLOCK_S`."""
    rows: np.ndarray
    """(B,) how many rows were added."""
    cost: np.ndarray
    """(B, G) minus log likelihood of the landmarks by perspective."""

    @classmethod
    def empty(cls) -> Blocks:
        whole = np.zeros(0, np.int64)
        return cls(whole, whole, np.zeros(0), np.zeros((0, len(LOG_GRID))))

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, which: np.ndarray) -> Self:
        return replace(self, **{item.name: getattr(self, item.name)[which] for item in fields(self)})

    def plus(self, other: Blocks) -> Blocks:
        """Both together; rows of the same person in the same half second are added."""
        joined = {
            item.name: np.concatenate([getattr(self, item.name), getattr(other, item.name)]) for item in fields(self)
        }
        keys = np.stack([joined.pop("track_id"), joined.pop("slot")], axis=-1)
        unique, place = np.unique(keys, axis=0, return_inverse=True)
        sums = {name: np.zeros((len(unique), *value.shape[1:])) for name, value in joined.items()}
        for name, value in joined.items():
            np.add.at(sums[name], place.reshape(-1), value)
        result = Blocks(unique[:, 0], unique[:, 1], **sums)
        return result if len(result) <= MOST_BLOCKS else result.select(result.slot % 2 == 0)

    def export_state(self) -> dict[str, np.ndarray]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def restored(cls, state: StateReader) -> Blocks:
        """Raises UserError (``resume-unreadable``) for what is no such state."""
        return cls(
            state.array("track_id", np.int64, "B"),
            state.array("slot", np.int64, "B"),
            state.array("rows", np.float64, "B"),
            state.array("cost", np.float64, "B", len(LOG_GRID)),
        )


@dataclass(frozen=True)
class Rows:
    """People of one or several frames, as the evidence needs them: N rows."""

    time_s: np.ndarray
    """(N,)"""
    track_id: np.ndarray
    """(N,)"""
    point_px: np.ndarray
    """(N, 39, 2)"""
    world: np.ndarray
    """(N, 39, 3)"""
    visibility: np.ndarray
    """(N, 39)"""
    inside: np.ndarray
    """(N, 39) bool"""

    def select(self, which: np.ndarray) -> Rows:
        return Rows(*(getattr(self, item.name)[which] for item in fields(self)))


def look_at(rows: Rows, known: Blocks, size: tuple[int, int]) -> Blocks:
    """Evidence of some rows in a footage of `size` (width, height), of those only that `known` has not enough of."""
    slot = np.floor(rows.time_s / BLOCK_S).astype(np.int64)
    whole = rows.inside[:, :33].sum(axis=1) >= _LEAST_INSIDE
    rows, slot = rows.select(whole), slot[whole]
    wanted = _wanted(rows, slot, known)
    rows, slot = rows.select(wanted), slot[wanted]
    if not len(slot):
        return Blocks.empty()
    seen = Blocks(rows.track_id.astype(np.int64), slot, np.ones(len(slot)), _over_the_grid(rows, size))
    return Blocks.empty().plus(seen)


def _wanted(rows: Rows, slot: np.ndarray, known: Blocks) -> np.ndarray:
    """(N,) bool: rows of blocks that have room by now; they are spread evenly over the block."""
    taken = {(int(t), int(s)): int(n) for t, s, n in zip(known.track_id, known.slot, known.rows, strict=True)}
    room = 1 + np.floor(_SAMPLES_PER_BLOCK * (rows.time_s / BLOCK_S - slot))
    wanted = np.zeros(len(slot), dtype=bool)
    for row, key in enumerate(zip(rows.track_id.tolist(), slot.tolist(), strict=True)):
        wanted[row] = taken.get(key, 0) < room[row]
        taken[key] = taken.get(key, 0) + int(wanted[row])
    return wanted


def _over_the_grid(rows: Rows, size: tuple[int, int]) -> np.ndarray:
    """(N, G) cost of every focal length."""
    count, grid = len(rows.time_s), len(LOG_GRID)
    point_px, world = (np.repeat(value, grid, axis=0) for value in (rows.point_px, rows.world))
    weight = np.repeat(weights(rows.visibility, rows.inside), grid, axis=0)
    focal = np.tile(np.exp(LOG_GRID) * max(size), count)
    placed = place_landmarks(point_px, world, weight, focal, (np.array(size) - 1) / 2)
    error = placed.error_px / (_ERROR_SHARE * np.repeat(sizes_px(rows.point_px), grid))[:, None]
    # Cauchy's kernel of width 2: outliers do not decide.
    cost = 2.0 * (weight[:, PLACED] * np.log1p(error**2 / 4)).sum(axis=-1)
    return cost.reshape(count, grid)
