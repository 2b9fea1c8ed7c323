"""The detector: people in whole frames."""

import numpy as np
import pytest

from engine.landmarks.networks.detector import Detector, similarity
from tests.engine.landmarks.references import REFERENCES, given, picture


@pytest.fixture(scope="module")
def detector(networks) -> Detector:
    return Detector(networks)


def test_it_finds_whom_the_original_finds(detector):
    """MoveNet's own graph turns its maps into people in another way; where a keypoint is sure, it is the same."""
    frame = given("detector")
    found = detector(frame, long_side=max(frame.shape))
    original = REFERENCES["detector.people"].reshape(6, 56)
    assert len(found) == (original[:, 55] > 0.1).sum() == 1
    expected = original[0, :51].reshape(17, 3)[:, [1, 0]] * frame.shape[1::-1] - 0.5
    sure = found.keypoint_score[0] > 0.3
    assert sure.sum() >= 10
    assert np.abs(found.keypoint_px[0] - expected)[sure].max() < 1
    box = original[0, [52, 51, 54, 53]] * np.tile(frame.shape[1::-1], 2) - 0.5
    assert np.abs(found.box_px[0] - box).max() < 0.6


def test_where_the_face_is(detector):
    found = detector(picture())
    nose, left_eye, right_eye = found.keypoint_px[0, :3]
    assert np.abs(nose - (97, 54)).max() < 5
    assert np.abs(left_eye - (108, 44)).max() < 5
    assert np.abs(right_eye - (87, 43)).max() < 5
    assert found.keypoint_score[0, :7].min() > 0.3


@pytest.mark.parametrize(
    ("top", "left", "height", "width"), [(60, 300, 600, 900), (0, 0, 300, 230), (10, 40, 240, 1000)]
)
def test_a_frame_of_another_shape_moves_nobody(detector, top, left, height, width):
    frame = np.full((height, width, 3), 90, np.uint8)
    frame[top : top + 224, left : left + 224] = picture()[: height - top, : width - left]
    found = detector(frame, long_side=512)
    nearest = np.abs(found.keypoint_px[:, 0] - (97 + left, 54 + top)).max(1).min()
    assert nearest < 8


def test_two_are_two_and_the_best_comes_first(detector):
    frame = np.concatenate([picture(), picture()[:, ::-1]], 1)
    found = detector(frame, long_side=448)
    noses = np.sort(found.keypoint_px[:2, 0, 0])
    assert np.abs(noses - (97, 447 - 97)).max() < 8
    assert (np.diff(found.score) <= 0).all()


@pytest.mark.parametrize("shape", [(120, 160), (1, 1), (7, 900)])
def test_nobody_is_nobody(detector, shape):
    found = detector(np.full((*shape, 3), 128, np.uint8))
    assert len(found) == 0
    assert found.keypoint_px.shape == (0, 17, 2)
    assert found.box_px.shape == (0, 4)


def test_similarity():
    points = np.random.default_rng(0).uniform(0, 100, (17, 2))
    others = np.stack([points, points + np.array([10, 0]), points + 1000])
    assert np.allclose(similarity(points, others, 100), [1, np.exp(-0.5), 0])
