# SPDX-License-Identifier: GPL-3.0-or-later
"""Matching, detection counts and mask overlap: known answers and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.detection import (
    DetectionCounts,
    MaskCounts,
    box_iou,
    compare_masks,
    count_detections,
    match_people,
)


def person(x: float, y: float, width: float = 20.0, height: float = 60.0) -> np.ndarray:
    """Joints at the corners and in the middle of a box."""
    return np.array([[x, y], [x + width, y + height], [x + width / 2, y + height / 2]])


def test_the_closest_pair_goes_first() -> None:
    truths = np.stack([person(0, 0), person(10, 0)])
    predictions = np.stack([person(9, 0), person(4, 0)])
    assert match_people(predictions, truths).tolist() == [[0, 1], [1, 0]]


def test_people_whose_boxes_do_not_overlap_never_match() -> None:
    assert len(match_people(person(100, 0)[None], person(0, 0)[None])) == 0
    assert len(match_people(person(19.5, 0)[None], person(0, 0)[None])) == 0, "an overlap of 1/79 is too little"
    assert len(match_people(person(15, 0)[None], person(0, 0)[None])) == 1, "an overlap of 1/7 is enough"


@pytest.mark.parametrize(("predictions", "truths"), [(0, 0), (0, 3), (2, 0)])
def test_nobody(predictions: int, truths: int) -> None:
    pairs = match_people(np.zeros((predictions, 3, 2)), np.zeros((truths, 3, 2)))
    assert pairs.shape == (0, 2)
    assert count_detections(pairs, predictions, np.ones(truths, bool)) == DetectionCounts(0, truths, predictions)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 2**31))
def test_each_is_matched_at_most_once(predictions: int, truths: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    pairs = match_people(random.uniform(0, 50, (predictions, 4, 2)), random.uniform(0, 50, (truths, 4, 2)))
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs) <= min(predictions, truths)


def test_figures() -> None:
    counts = DetectionCounts(found=6, missed=2, false_alarms=1) + DetectionCounts(found=2, missed=0, false_alarms=1)
    assert counts.precision == pytest.approx(8 / 10)
    assert counts.recall == pytest.approx(8 / 10)
    assert counts.f1 == pytest.approx(0.8)
    assert np.isnan(DetectionCounts().precision)
    assert DetectionCounts(0, 3, 0).recall == 0.0


def test_people_who_need_not_be_found_count_neither_way() -> None:
    pairs = np.array([[0, 0], [1, 2]])
    assert count_detections(pairs, 3, np.array([True, True, False])) == DetectionCounts(1, 1, 1)


def test_box_iou_known_answers() -> None:
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6]], dtype=float)
    np.testing.assert_allclose(box_iou(boxes, boxes), [[1, 1 / 7, 0], [1 / 7, 1, 0], [0, 0, 1]])
    assert box_iou(np.zeros((1, 4)), np.zeros((1, 4))) == 0.0, "a box without area overlaps nothing"


def test_masks() -> None:
    first = np.zeros((4, 6), bool)
    first[:2] = True
    second = np.zeros((4, 6), bool)
    second[:, :3] = True
    assert compare_masks(first, second) == MaskCounts(6, 18)
    assert compare_masks(first, first).iou == 1.0
    assert (compare_masks(first, second) + compare_masks(first, ~first)).iou == pytest.approx(6 / 42)
    assert np.isnan(MaskCounts().iou)
    with pytest.raises(ValueError, match="equal shapes"):
        compare_masks(first, second[:2])
