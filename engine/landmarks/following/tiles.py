# SPDX-License-Identifier: GPL-3.0-or-later
"""Detection of small people: the detector also looks at overlapping tiles of the frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np

from ..networks.crops import cut, to_footage
from ..observations import KEYPOINT_COUNT, Crops, Detections
from .likeness import SEEN, box_overlap, covered_share, keypoint_similarity, sizes

Detector = Callable[[np.ndarray, int], Detections]
"""(H, W, 3) uint8 and the long side at which the network looks at it -> people, in pixels of the array."""

_TILES_ALONG = 3
"""Along the frame's longer side. Tiles are square and as long as the shorter side, so neighbors overlap by a third in
the usual 16:9, and somebody cut in two by one border is whole in the next tile."""

_BORDER_SHARE = 0.04
"""Of a tile: who comes as near to a border that is none of the frame is cut off by it."""

_INSIDE = 0.7
"""Share of a box within another from which it is a part of the same person."""

_SAME_KEYPOINTS, _SAME_BOX, _SAME_TOLERANCE = 0.55, 0.7, 1.5
"""Similarity and overlap from which two detections show one person, and the tolerance of the similarity."""

_ROUND_PX = 256
"""Edge of the crop round somebody who was lost: that is what the detector was trained at."""

_TURNED = 0.25
"""Sine of a crop's angle from which boxes are made of keypoints."""

_KEYPOINT_ROOM = 0.08
"""Of the keypoints' larger extent, round them."""

_TILE_DISCOUNT = 0.9
"""Of a tile's detections against the whole frame's, which sees whole people."""


def tiles_of(width: int, height: int) -> np.ndarray:
    """(t, 4) int: left, top, right, bottom of square tiles that cover a frame; none for a frame nearly square."""
    side = min(width, height)
    if max(width, height) < 1.25 * side:
        return np.zeros((0, 4), int)
    starts = np.round(np.linspace(0, max(width, height) - side, _TILES_ALONG)).astype(int)
    corners = [(start, 0) if width >= height else (0, start) for start in starts]
    return np.array([(x, y, x + side, y + side) for x, y in corners])


def detect_in(detector: Detector, rgb: np.ndarray, tile: np.ndarray, long_side: int) -> Detections:
    """The people in a part of the frame (left, top, right, bottom; whole pixels), in pixels of the frame."""
    left, top, right, bottom = (int(value) for value in tile)
    found = detector(np.ascontiguousarray(rgb[top:bottom, left:right]), long_side)
    origin = np.array([left, top], np.float64)
    return replace(found, keypoint_px=found.keypoint_px + origin, box_px=found.box_px + np.tile(origin, 2))


def detect_round(detector: Detector, rgb: np.ndarray, crop: Crops) -> Detections:
    """The people in one crop (n = 1), without those whom its border cuts off, in pixels of the frame.

    In a turned crop people are found who are upside down in the frame.
    """
    found = detector(cut(rgb, crop, _ROUND_PX)[0], _ROUND_PX)
    whole = [not _is_cut_by_crop(rgb, crop, points) for points in _extents(found)]
    found = found.select(np.array(whole, bool))
    keypoint_px = to_footage(crop, _ROUND_PX, found.keypoint_px.reshape(1, -1, 2) + 0.5).reshape(-1, KEYPOINT_COUNT, 2)
    corners = found.box_px[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(1, -1, 2) + 0.5
    corners = to_footage(crop, _ROUND_PX, corners).reshape(-1, 4, 2)
    middle, reach = corners.mean(axis=1), np.ptp(corners, axis=1) / 2
    box_px = np.concatenate([middle - reach, middle + reach], axis=1)
    if abs(np.sin(crop.angle[0])) > _TURNED:  # the box round a box at a slant would be too large
        box_px = np.array([_box_round(*one) for one in zip(keypoint_px, found.keypoint_score, strict=True)]).reshape(
            -1, 4
        )
    return replace(found, keypoint_px=keypoint_px, box_px=box_px)


def _extents(people: Detections) -> list[np.ndarray]:
    """The keypoints seen and the corners of the box, (k, 2) of each."""
    return [
        np.concatenate([px[score > SEEN], box.reshape(2, 2)])
        for px, score, box in zip(people.keypoint_px, people.keypoint_score, people.box_px, strict=True)
    ]


def _is_cut_by_crop(rgb: np.ndarray, crop: Crops, points: np.ndarray) -> bool:
    """Whether points of a person (k, 2), in the crop, come near to a border that lies in the frame."""
    margin = _BORDER_SHARE * _ROUND_PX
    close = points[((points < margin) | (points > _ROUND_PX - margin)).any(axis=1)]
    places = to_footage(crop, _ROUND_PX, close[None])[0]
    return bool(((places >= 0) & (places < (rgb.shape[1], rgb.shape[0]))).all(axis=1).any())


def _box_round(px: np.ndarray, score: np.ndarray) -> np.ndarray:
    """(4,) of the keypoints seen, with room for the head's top and the feet."""
    points = px[score > SEEN] if (score > SEEN).any() else px
    low, high = points.min(axis=0), points.max(axis=0)
    room = _KEYPOINT_ROOM * (high - low).max()
    return np.concatenate([low - room, high + room])


def detect_on_tiles(detector: Detector, rgb: np.ndarray, tiles: np.ndarray, side: int) -> list[Detections]:
    """The people in each of some tiles (t, 4), seen at `side` pixels, without those whom its borders cut off."""
    return [_whole(detect_in(detector, rgb, tile, side), tile, rgb) for tile in tiles]


def merge(whole: Detections, parts: Sequence[Detections]) -> Detections:
    """The detections of the whole frame and of its parts, without those that show a person again."""
    every = joined([whole, *parts])
    is_part = np.arange(len(every)) >= len(whole)
    kept: list[int] = []
    for row in np.argsort(-every.score * np.where(is_part, _TILE_DISCOUNT, 1.0), kind="stable"):
        piece = is_part[row] and any(covered_share(every.box_px[row], every.box_px[one]) > _INSIDE for one in kept)
        if not piece and not any(_same(every, row, one) for one in kept):
            kept.append(int(row))
    return every.select(np.array(kept, int))


def joined(people: Sequence[Detections]) -> Detections:
    """All detections in one, in their order."""
    values = {item.name: np.concatenate([getattr(one, item.name) for one in people]) for item in fields(Detections)}
    return Detections(**values)


def nobody() -> Detections:
    """No detections."""
    count = KEYPOINT_COUNT
    return Detections(np.zeros(0), np.zeros((0, count, 2)), np.zeros((0, count)), np.zeros((0, 4)))


def _same(people: Detections, first: int, second: int) -> bool:
    """Whether two of the detections show one person."""
    px, score, box = people.keypoint_px, people.keypoint_score, people.box_px
    size = float(np.sqrt(sizes(box[first]) * sizes(box[second])))
    similar = keypoint_similarity(px[first], score[first], px[second], score[second], size, _SAME_TOLERANCE)
    return similar >= _SAME_KEYPOINTS or box_overlap(box[first], box[second]) >= _SAME_BOX


def _whole(people: Detections, tile: np.ndarray, rgb: np.ndarray) -> Detections:
    """Those whom no border of the tile cuts off."""
    cut = [_is_cut(people, row, tile, rgb.shape[1], rgb.shape[0]) for row in range(len(people))]
    return people.select(~np.array(cut, bool))


def _is_cut(people: Detections, row: int, tile: np.ndarray, width: int, height: int) -> bool:
    """Whether a border of the tile that is none of the frame cuts a person off."""
    points = _extents(people)[row]
    margin = _BORDER_SHARE * (tile[2:] - tile[:2])
    cut_low = (tile[:2] > 0) & (points.min(axis=0) < tile[:2] + margin)
    cut_high = (tile[2:] < (width, height)) & (points.max(axis=0) > tile[2:] - margin)
    return bool((cut_low | cut_high).any())
