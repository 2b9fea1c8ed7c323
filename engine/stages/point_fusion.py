# SPDX-License-Identifier: GPL-3.0-or-later
"""The static place: points of all frames fused by voxel, so that its size follows the place and not the clip.

A voxel keeps the confidence-weighted mean of the positions and colours that fell into it and the best confidence. It is
given out once, when it is first seen; `cloud` has the averaged values at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..contract.errors import UserError
from ..resuming.state_reader import ANY, StateReader

FARTHEST_M = 200.0
"""Points farther from their camera are the sky or a mistake."""

PERSON_MARGIN = 1 / 256
"""Share of the long side around people that is left out too (a pixel at least): outlines mix them with the place."""

PIXEL_STEP = 2
"""Of every block of 2 x 2 pixels one is fused per frame, each time the next: neighbours mostly fall into the same
voxel, and what is left out at first comes with the next frames."""

_AXIS_BITS = 21
_OFFSET = 1 << (_AXIS_BITS - 1)
_FIRST_CAPACITY = 4096


@dataclass(frozen=True)
class FusionSettings:
    """Settings of :class:`PointFusion`; checked once. Raises UserError (``bad-setting``)."""

    voxel_size: float = 0.05
    """Edge of a voxel, metres."""
    least_confidence: float = 1.005
    """Least model confidence (1 and upwards) of a point."""
    max_points: int = 2_000_000
    """Upper bound of voxels; new ones are left out beyond it, known ones still improve."""

    def __post_init__(self) -> None:
        if not (self.voxel_size > 0 and self.max_points >= 1):
            raise UserError(
                "bad-setting",
                "Scene points cannot be fused with voxels of {voxel_size} m and at most {max_points} points.",
                "Use a voxel size above 0 and 1 or more points.",
                voxel_size=self.voxel_size,
                max_points=self.max_points,
            )


@dataclass(frozen=True)
class Points:
    """N points of the world."""

    position: np.ndarray
    """(N, 3) float32, world frame, metres."""
    color: np.ndarray
    """(N, 3) uint8, sRGB."""
    confidence: np.ndarray
    """(N,) float32, the best seen."""


def pixels_of_frame(count: int) -> tuple[slice, slice]:
    """Rows and columns of the pixels that are fused when `count` frames have been before."""
    row, column = divmod(count % PIXEL_STEP**2, PIXEL_STEP)
    return slice(row, None, PIXEL_STEP), slice(column, None, PIXEL_STEP)


class PointFusion:
    """Fuses the point maps of frames into one cloud of at most `max_points`.

    Voxels are found by binary search in their sorted keys; what they hold lies in the order of their discovery in
    arrays that grow by doubling: `_sums` has, per voxel, the weighted sums of position (relative to the voxel's
    corner, so that float32 is enough) and colour, and the weight.
    """

    def __init__(self, settings: FusionSettings) -> None:
        self.settings = settings
        self._frame_count = 0
        self._keys = np.empty(0, np.int64)
        self._slots = np.empty(0, np.int32)
        self._count = 0
        self._slot_keys = np.empty(0, np.int64)
        self._sums = np.empty((0, 7), np.float32)
        self._best = np.empty(0, np.float32)

    def __len__(self) -> int:
        return self._count

    def update(
        self,
        points_camera: np.ndarray,
        confidence: np.ndarray,
        rgb: np.ndarray,
        people_mask: np.ndarray,
        world_from_camera: np.ndarray,
    ) -> Points:
        """Fuse one frame and return the points of voxels that were not known before, as first seen.

        `points_camera` is (H, W, 3), `confidence` (H, W), `rgb` (H, W, 3) uint8, `people_mask` (H, W) bool,
        `world_from_camera` (4, 4) rigid. Points are dropped that are not finite, behind the camera, farther than
        :data:`FARTHEST_M`, under the least confidence, or of a person.
        """
        every = pixels_of_frame(self._frame_count)
        self._frame_count += 1
        points, weight = points_camera[every], confidence[every]
        with np.errstate(invalid="ignore", over="ignore"):
            kept = (points[..., 2] > 0) & (np.einsum("...i,...i", points, points) < FARTHEST_M**2)
            kept &= (weight >= self.settings.least_confidence) & np.isfinite(weight)
        kept &= ~_dilate(people_mask, max(1, round(PERSON_MARGIN * max(people_mask.shape))))[every]
        world = points[kept].astype(np.float64) @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
        return self._fuse(world, rgb[every][kept], weight[kept])

    def cloud(self) -> Points:
        """All voxels with averaged positions and colours, in the order of their discovery."""
        return self._points(slice(0, self._count))

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything that `restore_state` needs, as arrays."""
        return {
            "frame_count": np.array(self._frame_count),
            "slot_keys": self._slot_keys[: self._count],
            "sums": self._sums[: self._count],
            "best": self._best[: self._count],
        }

    def restore_state(self, state: dict[str, np.ndarray]) -> None:
        """Continue exactly where `export_state` was called, under the same settings.

        Raises UserError (``resume-unreadable``) for what is no such state.
        """
        reader = StateReader("the scene points", state)
        self._frame_count = reader.count("frame_count")
        self._slot_keys = reader.array("slot_keys", np.int64, "voxels")
        self._sums = reader.array("sums", np.float32, "voxels", 7, most=ANY)
        self._best = reader.array("best", np.float32, "voxels", most=ANY)
        self._count = len(self._slot_keys)
        self._slots = np.argsort(self._slot_keys).astype(np.int32)
        self._keys = self._slot_keys[self._slots]
        reader.require(
            bool((self._keys[1:] > self._keys[:-1]).all()) and self._count <= self.settings.max_points,
            "slot_keys are not those of different voxels",
        )
        reader.require(bool((self._sums[:, 6] > 0).all()), "sums have no weight")

    def _fuse(self, world: np.ndarray, rgb: np.ndarray, weight: np.ndarray) -> Points:
        cells = np.floor(world / self.settings.voxel_size)
        inside = (np.abs(cells) < _OFFSET).all(axis=-1)
        if not inside.all():
            world, rgb, weight, cells = world[inside], rgb[inside], weight[inside], cells[inside]
        relative = (world - cells * self.settings.voxel_size).astype(np.float32)
        keys, sums, best = _merge(_pack(cells.astype(np.int64)), relative, rgb, weight)

        places = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), bool)
        in_range = places < len(self._keys)
        known[in_range] = self._keys[places[in_range]] == keys[in_range]
        slots = self._slots[places[known]]
        self._sums[slots] += sums[known]
        self._best[slots] = np.maximum(self._best[slots], best[known])

        new = np.flatnonzero(~known)[: self.settings.max_points - self._count]
        first, last = self._count, self._count + len(new)
        self._reserve(last)
        self._slot_keys[first:last], self._sums[first:last], self._best[first:last] = keys[new], sums[new], best[new]
        self._keys = np.insert(self._keys, places[new], keys[new])
        self._slots = np.insert(self._slots, places[new], np.arange(first, last, dtype=np.int32))
        self._count = last
        return self._points(slice(first, last))

    def _points(self, which: slice) -> Points:
        sums = self._sums[which].astype(np.float64)
        mean = sums[:, :6] / sums[:, 6:]
        corner = _unpack(self._slot_keys[which]) * self.settings.voxel_size
        return Points(
            (corner + mean[:, :3]).astype(np.float32), np.round(mean[:, 3:]).astype(np.uint8), self._best[which].copy()
        )

    def _reserve(self, count: int) -> None:
        capacity = len(self._best)
        if count <= capacity:
            return
        capacity = min(max(2 * capacity, count, _FIRST_CAPACITY), max(self.settings.max_points, count))
        for name in ("_slot_keys", "_sums", "_best"):
            old = getattr(self, name)
            grown = np.empty((capacity, *old.shape[1:]), old.dtype)
            grown[: self._count] = old[: self._count]
            setattr(self, name, grown)


def _merge(
    keys: np.ndarray, relative: np.ndarray, rgb: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points with their voxels' keys to sorted unique keys, weighted sums (K, 7) and best confidences (K,)."""
    if len(keys) == 0:
        return keys, np.empty((0, 7), np.float32), np.empty(0, np.float32)
    # A stable sort, so that the same frames give the same bits everywhere.
    order = np.argsort(keys, kind="stable")
    keys, weight = keys[order], weight[order].astype(np.float32)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    values = np.column_stack([relative[order], rgb[order].astype(np.float32), np.ones(len(keys), np.float32)])
    return keys[starts], np.add.reduceat(values * weight[:, None], starts), np.maximum.reduceat(weight, starts)


def _pack(cells: np.ndarray) -> np.ndarray:
    """(N, 3) voxel indices in +-2^20 to (N,) int64 keys."""
    shifted = cells + _OFFSET
    return (shifted[:, 0] << 2 * _AXIS_BITS) | (shifted[:, 1] << _AXIS_BITS) | shifted[:, 2]


def _unpack(keys: np.ndarray) -> np.ndarray:
    """The inverse of `_pack`."""
    mask = (1 << _AXIS_BITS) - 1
    return np.stack([keys >> 2 * _AXIS_BITS, (keys >> _AXIS_BITS) & mask, keys & mask], axis=-1) - _OFFSET


def _dilate(mask: np.ndarray, margin: int) -> np.ndarray:
    """(H, W) bool mask grown by `margin` pixels in both directions."""
    if not mask.any():
        return mask
    size = 2 * margin + 1
    padded = np.pad(mask, margin)
    across = sliding_window_view(padded, size, axis=1).any(axis=-1)
    return np.asarray(sliding_window_view(across, size, axis=0).any(axis=-1))
