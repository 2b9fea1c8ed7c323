# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the people in a whole frame, with 17 keypoints each: MoveNet MultiPose.

The network says for each cell of a grid (four pixels of its picture) whether a person's centre lies there, how large
the person is and where the keypoints lie, roughly; maps of each keypoint then say where exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..observations import KEYPOINT_COUNT, Detections
from .networks import Networks

STRIDE = 4
"""Pixels of the network's picture in a cell, along one side."""

LONG_SIDE = 320
"""Pixels of the frame's longer side as the network sees it. 512 finds smaller people at two and a half times the
cost."""

THRESHOLD = 0.15
"""From here on a cell may be a person's centre."""

_MOST = 32
"""People in a frame at most; what is beyond are the least likely ones."""

_SEARCH = 0.1
"""How far a keypoint lies from where the centre says, as a share of the person's size: one standard deviation."""

_SAME = 0.6
"""Keypoint similarity from which two detections are one person."""

_TOLERANCE = 0.1
"""Distance of two keypoints at which their similarity falls to exp(-1/2), as a share of the person's size."""

_BEST = 9
"""So many of the best keypoints count for the score: about half a person may be hidden."""


@dataclass(frozen=True)
class Detector:
    """Finds people in frames."""

    networks: Networks

    def __call__(self, rgb: np.ndarray, long_side: int = LONG_SIDE, threshold: float = THRESHOLD) -> Detections:
        """The people in a frame (h, w, 3) uint8, best first. `long_side`: of the picture that the network sees."""
        picture, scale = _fit(rgb, long_side, self.networks.detector.multiple)
        tensor = torch.from_numpy(picture)[None].to(self.networks.device)
        maps = {name: value[0].cpu().numpy() for name, value in self.networks.detector(tensor).items()}
        found = _decode(maps, threshold)
        return _without_doubles(_in_frame(found, scale))


def similarity(keypoint_px: np.ndarray, other_px: np.ndarray, size_px: float) -> np.ndarray:
    """0..1: how well keypoints (17, 2) agree with others (..., 17, 2), for a person of `size_px` pixels."""
    distance = np.linalg.norm(keypoint_px - other_px, axis=-1) / max(size_px, 1e-6)
    return np.exp(-((distance / _TOLERANCE) ** 2) / 2).mean(-1)


def _fit(rgb: np.ndarray, long_side: int, multiple: int) -> tuple[np.ndarray, np.ndarray]:
    """The frame at another size, black to the right and below up to whole multiples; and (2,) pixels of the frame per
    pixel of that, across and down."""
    height, width = rgb.shape[:2]
    factor = long_side / max(height, width)
    sides = [max(round(side * factor), 1) for side in (width, height)]
    small = cv2.resize(rgb, sides, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    padded = np.zeros((*(math.ceil(side / multiple) * multiple for side in sides[::-1]), 3), np.uint8)
    padded[: sides[1], : sides[0]] = small
    return padded, np.array([width, height]) / sides


def _decode(maps: dict[str, np.ndarray], threshold: float) -> Detections:
    """The people that the maps (channels, height, width) show. Places are in cells, from the grid's left and upper
    edge."""
    centre = _sigmoid(maps["centre"][0])
    row, column = _peaks(centre, threshold)
    cell = np.stack([row, column], -1)
    size = np.maximum(maps["box_size"][:, row, column].T, 0)
    middle = cell + maps["box_offset"][:, row, column].T
    rough = cell[:, None] + maps["keypoint_from_centre"][:, row, column].T.reshape(-1, KEYPOINT_COUNT, 2)
    place, score = _find_keypoints(rough, size.max(-1), _sigmoid(maps["keypoint_heat"]), maps["keypoint_offset"])
    best = np.sort(score, axis=1)[:, -_BEST:].mean(1)
    return Detections(
        score=centre[row, column] * best,
        keypoint_px=place[..., ::-1],
        keypoint_score=score,
        box_px=np.concatenate([middle - size / 2, middle + size / 2], -1)[:, [1, 0, 3, 2]],
    )


def _peaks(centre: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the cells that are likelier than all round them, likeliest first."""
    highest = cv2.dilate(centre, np.ones((3, 3), np.uint8))
    row, column = np.nonzero((centre >= highest) & (centre > threshold))
    order = np.argsort(-centre[row, column], kind="stable")[:_MOST]
    return row[order], column[order]


def _find_keypoints(
    rough: np.ndarray, size: np.ndarray, heat: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (n, 17, 2) as (y, x) in cells and their scores (n, 17): for each the warmest cell of its map, counting
    less the farther it lies from where the person's centre says (`rough`)."""
    rows, columns = heat.shape[1:]
    reach = np.maximum(_SEARCH * np.minimum(size, max(rows, columns)), 1)[:, None, None]
    near_row = np.exp(-(((np.arange(rows) - rough[..., :1]) / reach) ** 2) / 2)
    near_column = np.exp(-(((np.arange(columns) - rough[..., 1:]) / reach) ** 2) / 2)
    found = np.zeros((len(rough), KEYPOINT_COUNT), int)
    for person, (down, across) in enumerate(zip(near_row, near_column, strict=True)):
        likely = heat * down[:, :, None].astype(np.float32) * across[:, None].astype(np.float32)
        found[person] = likely.reshape(KEYPOINT_COUNT, -1).argmax(1)
    row, column, number = found // columns, found % columns, np.arange(KEYPOINT_COUNT)
    exact = offset.reshape(KEYPOINT_COUNT, 2, rows, columns)[number, :, row, column]
    return np.stack([row, column], -1) + exact, heat[number, row, column]


def _in_frame(found: Detections, scale: np.ndarray) -> Detections:
    """From cells to the footage's pixels, whose origin is the centre of a pixel and not its edge."""
    factor = STRIDE * scale
    return Detections(
        score=found.score,
        keypoint_px=found.keypoint_px * factor - 0.5,
        keypoint_score=found.keypoint_score,
        box_px=found.box_px * np.tile(factor, 2) - 0.5,
    )


def _without_doubles(found: Detections) -> Detections:
    """The best detection of each person, best first."""
    found = found.select(np.argsort(-found.score, kind="stable"))
    sides = found.box_px[:, 2:] - found.box_px[:, :2]
    sizes = np.sqrt(sides.prod(-1))
    kept: list[int] = []
    for index, size in enumerate(sizes):
        if not kept or similarity(found.keypoint_px[index], found.keypoint_px[kept], size).max() < _SAME:
            kept.append(index)
    return found.select(np.array(kept, int))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
