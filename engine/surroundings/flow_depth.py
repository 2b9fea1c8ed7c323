# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth at every pixel of a picture from optical flow to others, whose camera poses are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

_MOST_RETURN_PX = 1.0
"""Flow forth and back ends no farther from where it began."""
_MOST_EPIPOLAR_PX = 1.5
"""Flow ends no farther from where a point at some depth can be seen."""
_LEAST_PARALLAX_PX, _CLEAR_PARALLAX_PX = 2.0, 5.0
"""A partner counts from the first on; one of them must have the second."""
_AGREEMENT = 0.1
"""Partners agree within this share of the depth."""
_EDGE = 1.08
"""Neighbors whose depths differ by more: between them flow is smeared over the edge."""

_FLOW_PX = 0.5
"""Standard deviation of flow."""
_SIGMA_OF_TWO = 0.04
"""Relative standard deviation of a depth whose confidence is 2."""
_MOST_CONFIDENCE = 5.0
_TOO_FAR_AWAY = 1e4


@dataclass(frozen=True)
class View:
    """One picture with its people."""

    grey: np.ndarray
    """(H, W) uint8."""
    people: np.ndarray
    """(H, W) bool."""


@dataclass(frozen=True)
class Sighting:
    """What flow to one partner says about a reference's pixels."""

    inverse_depth: np.ndarray
    """(H, W) float32, 1 / meters; NaN where it says nothing."""
    parallax: np.ndarray
    """(H, W) float32 pixels that the depth shifts the point by; 0 where it says nothing."""


class FlowDepth:
    """Depths of pictures of one size through one pinhole."""

    def __init__(self, camera: np.ndarray, size: tuple[int, int]) -> None:
        """`camera` is (3, 3), `size` width and height."""
        columns, rows = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in size))
        self._column, self._row = columns, rows
        self._focal = np.diag(camera)[:2].astype(np.float32)
        self._center = camera[:2, 2].astype(np.float32)
        x, y = self._slopes(columns, rows)
        self.rays = np.dstack([x, y, np.ones_like(x)])
        """(H, W, 3) float32: the points at a depth of 1."""
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def sighting(self, reference: View, partner: View, partner_from_reference: np.ndarray) -> Sighting:
        """Depths of the reference's pixels from one partner; `partner_from_reference` is (4, 4), meters."""
        column, row, seen = self._followed(reference, partner)
        turned = self.rays @ partner_from_reference[:3, :3].T.astype(np.float32)
        shift = partner_from_reference[:3, 3].astype(np.float32)
        inverse, ends = self._nearest_on_ray(turned, shift, column, row)
        straight = self._pixels(turned)
        with np.errstate(invalid="ignore"):
            parallax = np.hypot(straight[0] - column, straight[1] - row)
            seen &= (inverse > 0) & (parallax > _LEAST_PARALLAX_PX)
            seen &= np.hypot(ends[0] - column, ends[1] - row) < _MOST_EPIPOLAR_PX
        return Sighting(np.where(seen, inverse, np.nan).astype(np.float32), np.where(seen, parallax, 0.0))

    def _followed(self, reference: View, partner: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Columns and rows in the partner's picture, and (H, W) bool where they can be believed."""
        forth = self._flow.calc(reference.grey, partner.grey, None)  # type: ignore[call-overload]
        back = self._flow.calc(partner.grey, reference.grey, None)  # type: ignore[call-overload]
        column, row = self._column + forth[..., 0], self._row + forth[..., 1]
        away = (_TOO_FAR_AWAY, _TOO_FAR_AWAY)
        returned = forth + cv2.remap(back, column, row, cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, away)
        people = cv2.remap(partner.people.astype(np.float32), column, row, cv2.INTER_LINEAR)
        seen = (np.hypot(returned[..., 0], returned[..., 1]) < _MOST_RETURN_PX) & (people < 0.01) & ~reference.people
        return column, row, seen

    def _nearest_on_ray(
        self, turned: np.ndarray, shift: np.ndarray, column: np.ndarray, row: np.ndarray
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """(H, W) inverse depths at which `turned / inverse + shift` is seen nearest to a pixel, and those pixels."""
        x, y = self._slopes(column, row)
        # (turned + inverse * shift) is parallel to (x, y, 1): two equations for one unknown.
        by_x, by_y = turned[..., 0] - x * turned[..., 2], turned[..., 1] - y * turned[..., 2]
        of_x, of_y = x * shift[2] - shift[0], y * shift[2] - shift[1]
        inverse = (by_x * of_x + by_y * of_y) / np.maximum(of_x**2 + of_y**2, 1e-12)
        return inverse, self._pixels(turned + inverse[..., None] * shift)

    def _pixels(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns and rows of (H, W, 3) points; NaN for those behind."""
        depth = np.where(points[..., 2] > 1e-6, points[..., 2], np.nan)
        return (
            points[..., 0] / depth * self._focal[0] + self._center[0],
            points[..., 1] / depth * self._focal[1] + self._center[1],
        )

    def _slopes(self, column: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (column - self._center[0]) / self._focal[0], (row - self._center[1]) / self._focal[1]


def agreed_depth(sightings: Sequence[Sighting]) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) depth on which two or more partners agree, 0 where they do not, and (H, W) its confidence, 1 and upwards.

    The mean is weighted by parallax squared, as their errors in inverse depth ask for.
    """
    inverse = np.stack([sighting.inverse_depth for sighting in sightings])
    parallax = np.stack([sighting.parallax for sighting in sightings])
    middle = _median_of_known(inverse)
    with np.errstate(invalid="ignore"):
        off = np.abs(inverse - middle) / middle
        spread = _median_of_known(off)
        agrees = off < _AGREEMENT
        known = (agrees.sum(axis=0) >= 2) & (spread < _AGREEMENT)
    weight = np.where(agrees, parallax, 0.0) ** 2
    total = weight.sum(axis=0)
    known &= (np.where(agrees, parallax, 0.0).max(axis=0) > _CLEAR_PARALLAX_PX) & (total > 0)
    mean = (np.nan_to_num(inverse) * weight).sum(axis=0) / np.maximum(total, 1e-9)
    depth = _without_edges(np.where(known, 1.0 / np.where(known, mean, 1.0), 0.0).astype(np.float32))
    sigma = np.hypot(_FLOW_PX / np.sqrt(np.maximum(total, 1e-9)), np.nan_to_num(spread))
    confidence = np.minimum(1.0 + _SIGMA_OF_TWO / np.maximum(sigma, 1e-6), _MOST_CONFIDENCE)
    return depth, np.where(depth > 0, confidence, 1.0).astype(np.float32)


def _median_of_known(values: np.ndarray) -> np.ndarray:
    """(H, W) median over the first axis without NaN; NaN where all are."""
    ordered = np.sort(values, axis=0)  # NaN comes last
    count = np.isfinite(values).sum(axis=0)
    middles = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(values) - 1)
    low, high = (np.take_along_axis(ordered, index[None], axis=0)[0] for index in middles)
    return np.asarray((low + high) / 2)


def _without_edges(depth: np.ndarray) -> np.ndarray:
    """The same with 0 where a neighbor is much nearer or farther."""
    around = np.ones((3, 3), np.uint8)
    farthest = cv2.dilate(depth, around)
    nearest = cv2.erode(np.where(depth > 0, depth, np.float32(np.inf)), around)
    return np.where(farthest / _EDGE > nearest, np.float32(0), depth)
