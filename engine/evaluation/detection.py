# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who in one picture: matching predicted people to true ones, and how many were found.

Points are pixels of the footage, boxes (left, top, right, bottom) around a person's projected joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_IOU = 0.05
"""A predicted and a true person can only match when their boxes overlap by more than this."""


@dataclass(frozen=True)
class DetectionCounts:
    """Counts over pictures; they pool by addition."""

    found: int = 0
    """True people that a prediction matched."""
    missed: int = 0
    false_alarms: int = 0
    """Predictions that match nobody."""

    def __add__(self, other: DetectionCounts) -> DetectionCounts:
        return DetectionCounts(
            self.found + other.found, self.missed + other.missed, self.false_alarms + other.false_alarms
        )

    @property
    def precision(self) -> float:
        return _ratio(self.found, self.found + self.false_alarms)

    @property
    def recall(self) -> float:
        return _ratio(self.found, self.found + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _ratio(2 * self.found, 2 * self.found + self.missed + self.false_alarms)


def match_people(prediction_px: np.ndarray, truth_px: np.ndarray, least_iou: float = LEAST_IOU) -> np.ndarray:
    """Match greedily, the closest pair first, by mean distance of corresponding joints, with overlapping boxes.

    `prediction_px` (P, J, 2) and `truth_px` (T, J, 2) are projected joints. Returns (M, 2) pairs (prediction, truth),
    each prediction and each truth at most once.
    """
    distances = keypoint_distances(prediction_px, truth_px)
    allowed = box_iou(joint_boxes(prediction_px), joint_boxes(truth_px)) > least_iou
    pairs: list[tuple[int, int]] = []
    predictions, truths = set(range(len(prediction_px))), set(range(len(truth_px)))
    for flat in np.argsort(distances, axis=None, kind="stable"):
        prediction, truth = divmod(int(flat), len(truth_px))
        if prediction in predictions and truth in truths and allowed[prediction, truth]:
            predictions.remove(prediction)
            truths.remove(truth)
            pairs.append((prediction, truth))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def count_detections(pairs: np.ndarray, prediction_count: int, expected: np.ndarray) -> DetectionCounts:
    """Count one picture's matches, (M, 2) pairs (prediction, truth).

    `expected` (T,) bool says which true people a detector has to find. The others (head outside the picture, hidden)
    are neither missed when not found nor false alarms when found.
    """
    expected = np.asarray(expected, dtype=bool)
    found = int(expected[pairs[:, 1]].sum())
    return DetectionCounts(found, int(expected.sum()) - found, prediction_count - len(pairs))


def keypoint_distances(prediction_px: np.ndarray, truth_px: np.ndarray) -> np.ndarray:
    """Mean pixel distance of corresponding joints, (P, J, 2) and (T, J, 2) to (P, T)."""
    difference = np.asarray(prediction_px, dtype=np.float64)[:, None] - np.asarray(truth_px, dtype=np.float64)[None]
    return np.linalg.norm(difference, axis=-1).mean(axis=-1)


def joint_boxes(joints_px: np.ndarray) -> np.ndarray:
    """(..., J, 2) joints to their (..., 4) boxes."""
    return np.concatenate([np.min(joints_px, axis=-2), np.max(joints_px, axis=-2)], axis=-1)


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of each of (A, 4) boxes with each of (B, 4): (A, B) in 0..1."""
    first, second = np.asarray(first, dtype=np.float64)[:, None], np.asarray(second, dtype=np.float64)[None]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    common = np.prod(np.maximum(sides, 0.0), axis=-1)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1) for boxes in (first, second)]
    union = areas[0] + areas[1] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


@dataclass(frozen=True)
class MaskCounts:
    """Pixels of the masks of all people; they pool by addition."""

    common: int = 0
    """Pixels in both masks."""
    either: int = 0
    """Pixels in at least one."""

    def __add__(self, other: MaskCounts) -> MaskCounts:
        return MaskCounts(self.common + other.common, self.either + other.either)

    @property
    def iou(self) -> float:
        """Intersection over union over all pixels of all frames; NaN where nobody is or was predicted."""
        return _ratio(self.common, self.either)


def compare_masks(prediction: np.ndarray, truth: np.ndarray) -> MaskCounts:
    """Compare two boolean masks of the same shape."""
    prediction, truth = np.asarray(prediction, dtype=bool), np.asarray(truth, dtype=bool)
    if prediction.shape != truth.shape:
        raise ValueError(f"expected equal shapes, got {prediction.shape} and {truth.shape}")
    return MaskCounts(int((prediction & truth).sum()), int((prediction | truth).sum()))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
