# SPDX-License-Identifier: GPL-3.0-or-later
"""The colors of people's clothes, by which they are told apart and known again."""

from __future__ import annotations

import cv2
import numpy as np

from ..observations import Detections
from .likeness import SEEN

REGIONS = 2
"""Torso and thighs: legs keep their color when the arms cross the chest, and the other way round."""

BINS = (5, 8, 8)
"""Of lightness, green to red and blue to yellow: lightness changes most with light and shade."""

COLORS = int(np.prod(BINS))

_RANGES = (0, 256, 96, 160, 96, 160)
"""Of OpenCV's 8-bit Lab: clothes are rarely more colorful than this, and what is falls into the outermost bins."""

_TORSO_SHARE = 0.8
"""Of the quadrilateral of shoulders and hips that is taken: its border shows what is behind."""

_THIGH_WIDTH = 0.25
"""Of a thigh's strip, as a share of its length."""

_LEAST_PIXELS = 12
"""A region with fewer is unknown."""

_SHOULDERS_AND_HIPS = (5, 6, 12, 11)
_THIGHS = ((11, 13), (12, 14))


def clothes_of(rgb: np.ndarray, people: Detections) -> np.ndarray:
    """(n, REGIONS, COLORS) float32: the root of each region's histogram (so a dot product compares two); 0 unknown.

    ``rgb`` is (H, W, 3) uint8.
    """
    found = [_of_person(rgb, px, score) for px, score in zip(people.keypoint_px, people.keypoint_score, strict=True)]
    return np.array(found, np.float32).reshape(-1, REGIONS, COLORS)


def difference(first: np.ndarray, second: np.ndarray) -> float | None:
    """Bhattacharyya distance 0..1 of two people's clothes, the mean of the regions known of both; None without any."""
    both = first.any(axis=-1) & second.any(axis=-1)
    if not both.any():
        return None
    same = (first[both] * second[both]).sum(axis=-1)
    return float(np.sqrt(np.maximum(1.0 - same, 0.0)).mean())


def learned(known: np.ndarray, seen: np.ndarray, rate: float) -> np.ndarray:
    """What is known of a person's clothes after they were seen once more."""
    mixed = np.sqrt((1 - rate) * known**2 + rate * seen**2)
    is_new, is_hidden = ~known.any(axis=-1, keepdims=True), ~seen.any(axis=-1, keepdims=True)
    return np.where(is_new, seen, np.where(is_hidden, known, mixed)).astype(np.float32)


def _of_person(rgb: np.ndarray, px: np.ndarray, score: np.ndarray) -> np.ndarray:
    return np.stack([_histogram(rgb, _torso(px, score)), _histogram(rgb, _thighs(px, score))])


def _torso(px: np.ndarray, score: np.ndarray) -> list[np.ndarray]:
    corners = list(_SHOULDERS_AND_HIPS)
    if score[corners].min() <= SEEN:
        return []
    middle = px[corners].mean(axis=0)
    return [middle + _TORSO_SHARE * (px[corners] - middle)]


def _thighs(px: np.ndarray, score: np.ndarray) -> list[np.ndarray]:
    return [_strip(px[hip], px[knee]) for hip, knee in _THIGHS if min(score[hip], score[knee]) > SEEN]


def _strip(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The middle four fifths of a line, as wide as a thigh: (4, 2)."""
    along = end - start
    across = np.array([-along[1], along[0]]) * (_THIGH_WIDTH / 2)
    first, last = start + 0.1 * along, end - 0.1 * along
    return np.array([first + across, last + across, last - across, first - across])


def _histogram(rgb: np.ndarray, polygons: list[np.ndarray]) -> np.ndarray:
    """The root of the histogram of what the polygons show, or zeros where that is too little."""
    nothing = np.zeros(COLORS, np.float32)
    if not polygons:
        return nothing
    points = np.concatenate(polygons)
    limit = np.array([rgb.shape[1], rgb.shape[0]])
    low = np.clip(np.floor(points.min(axis=0)), 0, limit).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + 1, 0, limit).astype(int)
    if (high - low < 2).any():
        return nothing
    cut = np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]])
    mask = np.zeros(cut.shape[:2], np.uint8)
    for polygon in polygons:
        cv2.fillConvexPoly(mask, np.round(polygon - low).astype(np.int32), 1)
    if mask.sum() < _LEAST_PIXELS:
        return nothing
    colors = cv2.cvtColor(cut, cv2.COLOR_RGB2LAB)[mask > 0].reshape(-1, 1, 3)
    edges = np.array(_RANGES).reshape(3, 2)
    colors = np.clip(colors, edges[:, 0], edges[:, 1] - 1).astype(np.uint8)
    counts = cv2.calcHist([colors], [0, 1, 2], None, list(BINS), list(_RANGES)).ravel()
    return np.sqrt(counts / counts.sum()).astype(np.float32)
