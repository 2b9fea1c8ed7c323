"""Crops: what is cut out, and where a place in one lies in the frame."""

import numpy as np
import pytest

from engine.landmarks.networks.crops import crops_from_keypoints, crops_from_landmarks, cut, from_footage, to_footage
from engine.landmarks.observations import BodyLandmarks, Crops, Detections


def crops(*rows: tuple[float, float, float, float]) -> Crops:
    """From centre x, centre y, side, degrees."""
    table = np.array(rows, float)
    return Crops(centre_px=table[:, :2], side_px=table[:, 2], angle=np.radians(table[:, 3]))


SOME = crops((30, 20, 50, 0), (100.25, 60.5, 301, 37), (-20, 500, 8, -170))


def ramp(height: int, width: int) -> np.ndarray:
    """A frame whose red says the column and whose green says the row."""
    row, column = np.mgrid[:height, :width]
    return np.stack([column, row, 0 * row], -1).astype(np.uint8)


def test_there_and_back():
    points = np.random.default_rng(0).uniform(0, 256, (3, 5, 7, 2))
    assert np.allclose(from_footage(SOME, 256, to_footage(SOME, 256, points)), points)
    assert np.allclose(from_footage(SOME, 256, to_footage(SOME, 256, points[:, 0, 0])), points[:, 0, 0])


def test_known_places():
    one = crops((30, 20, 50, 0))
    corners = np.array([[[0, 0], [100, 100], [50, 50]]], float)
    assert np.allclose(to_footage(one, 100, corners), [[[5, -5], [55, 45], [30, 20]]])
    turned = crops((30, 20, 50, 90))  # what lies to the right in the frame is up in the crop
    assert np.allclose(to_footage(turned, 100, np.array([[[50.0, 0.0]]])), [[[55, 20]]])


def test_a_crop_on_the_pixels_is_a_copy():
    frame = np.random.default_rng(1).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    assert np.array_equal(cut(frame, crops((19.5, 14.5, 16, 0)), 16)[0], frame[7:23, 12:28])
    assert np.array_equal(cut(frame, crops((19.5, 14.5, 16, 90)), 16)[0], np.rot90(frame[7:23, 12:28]))


@pytest.mark.parametrize("side", [40, 90, 180, 235])
@pytest.mark.parametrize("degrees", [0, 25, -130])
def test_a_pixel_shows_its_place_at_any_size(side, degrees):
    """Also where the cut-out is shrunk before: half a pixel of the frame at most."""
    size = 32
    one = crops((120.3, 118.7, side, degrees))
    made = cut(ramp(240, 240), one, size)[0].astype(float)
    row, column = np.mgrid[:size, :size]
    place = to_footage(one, size, np.stack([column + 0.5, row + 0.5], -1)[None])[0]
    inside = ((place > 8) & (place < 231)).all(-1)
    assert inside.sum() > 200
    assert np.abs(made[..., :2] - place)[inside].max() < 1.1


def test_shrinking_does_not_alias():
    """Stripes of one pixel become gray, not stripes."""
    stripes = np.broadcast_to((np.arange(2000) % 2 * 255)[None, :, None], (1500, 2000, 3)).astype(np.uint8)
    made = cut(stripes, crops((1000, 750, 1300, 0), (1000, 750, 900, 30)), 64)
    assert made.std() < 12
    assert abs(made.mean() - 127.5) < 5


def test_what_lies_outside_is_black():
    frame = np.full((100, 100, 3), 200, np.uint8)
    made = cut(frame, crops((0, 0, 40, 0), (0, 0, 400, 0), (5000, 5000, 400, 10), (50, 50, 40, 0)), 32)
    assert (made[0, :14, :14] == 0).all()
    assert (made[0, 18:, 18:] == 200).all()
    assert (made[1, :15, :15] == 0).all()
    assert (made[1, 18:22, 18:22] == 200).all()
    assert (made[2] == 0).all()
    assert (made[3] == 200).all()


def test_crops_that_are_none():
    frame = np.full((10, 10, 3), 200, np.uint8)
    assert cut(frame, crops((np.nan, 0, 40, 0), (5, 5, 0, 0), (5, 5, np.inf, 0)), 8).max() == 0
    assert cut(frame, crops((5, 5, 1e9, 0)), 8).max() == 0
    assert cut(frame, SOME.select(np.zeros(0, int)), 8).shape == (0, 8, 8, 3)


def test_a_crop_from_landmarks_is_round_the_hips():
    points = np.zeros((1, 39, 2))
    points[0, 33], points[0, 34] = (100, 200), (140, 170)
    seen = np.zeros((1, 39))
    landmarks = BodyLandmarks(
        np.ones(1), points, seen, np.zeros((1, 39, 3)), crops((0, 0, 1, 0)), np.zeros((1, 256, 256))
    )
    made = crops_from_landmarks(landmarks)
    assert np.allclose(made.centre_px, [[100, 200]])
    assert np.allclose(made.side_px, 2 * 1.25 * 50)
    assert np.allclose([np.sin(made.angle), -np.cos(made.angle)], [[40 / 50], [-30 / 50]])


def standing(score: float = 0.9) -> Detections:
    """Somebody upright, hips at (100, 200), torso of 60, ankles 80 below the hips."""
    points = np.tile([100.0, 120.0], (1, 17, 1))
    points[0, [5, 6]] = [(120, 140), (80, 140)]
    points[0, [11, 12]] = [(110, 200), (90, 200)]
    points[0, [13, 14]] = [(110, 240), (90, 240)]
    points[0, [15, 16]] = [(100, 280), (100, 280)]
    return Detections(np.ones(1), points, np.full((1, 17), score), np.array([[60, 100, 140, 290.0]]))


def test_a_crop_from_keypoints_holds_the_person():
    made = crops_from_keypoints(standing())
    assert np.allclose(made.centre_px, [[100, 200]])
    assert np.allclose(made.angle, 0)
    assert np.allclose(made.side_px, 2 * 1.12 * 1.7 * 60)


def test_legs_that_nobody_saw_fit_in():
    found = standing()
    found.keypoint_score[0, 13:] = 0
    assert np.allclose(crops_from_keypoints(found).side_px, 2 * 1.12 * 1.9 * 60)


def test_hips_that_nobody_saw_are_below_the_shoulders():
    found = standing()
    found.keypoint_score[0, 11:] = 0
    found.keypoint_px[0, 11:] = 0
    assert np.allclose(crops_from_keypoints(found).centre_px, [[100, 140 + 1.4 * 40]])
