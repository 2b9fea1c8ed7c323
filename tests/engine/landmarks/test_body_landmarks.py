"""Landmarks of the person in a crop."""

import numpy as np
import pytest

from engine.landmarks.networks.body_landmarks import BodyLandmarker, _refined
from engine.landmarks.networks.crops import to_footage
from engine.landmarks.observations import Crops
from tests.engine.landmarks.references import picture

NOSE, LEFT_EYE, RIGHT_EYE = 0, 2, 5
UPRIGHT = Crops(centre_px=np.array([[97.0, 160.0]]), side_px=np.array([330.0]), angle=np.zeros(1))


@pytest.fixture(scope="module")
def landmarker(networks) -> BodyLandmarker:
    return BodyLandmarker(networks)


def turned(degrees: float) -> Crops:
    return Crops(UPRIGHT.centre_px, UPRIGHT.side_px, np.radians([degrees]))


def test_where_the_face_is(landmarker):
    found = landmarker(picture(), UPRIGHT)
    assert found.presence[0] > 0.9
    assert np.abs(found.point_px[0, [NOSE, LEFT_EYE, RIGHT_EYE]] - [(97, 54), (108, 44), (87, 43)]).max() < 8
    assert found.visibility[0, [NOSE, LEFT_EYE, RIGHT_EYE]].min() > 0.9
    left, right = found.world[0, [LEFT_EYE, RIGHT_EYE]]
    assert 0.03 < left[0] - right[0] < 0.12  # metres; the person's left is to the right
    assert found.world[0, NOSE, 1] < -0.4  # y is down, from the hips


def test_a_turned_crop_sees_the_same_in_the_frame(landmarker):
    upright, leaning = landmarker(picture(), UPRIGHT), landmarker(picture(), turned(12))
    face = [NOSE, LEFT_EYE, RIGHT_EYE]
    assert np.abs(upright.point_px - leaning.point_px)[0, face].max() < 10
    assert np.abs(upright.world - leaning.world)[0, face].max() < 0.12


def test_many_crops_are_what_each_is(landmarker):
    """More than run at once, and none."""
    one = landmarker(picture(), UPRIGHT)
    count = 9
    many = landmarker(picture(), UPRIGHT.select(np.zeros(count, int)))
    assert len(many) == count
    assert np.abs(many.point_px - one.point_px).max() < 0.2
    assert np.abs(many.mask - one.mask).max() < 0.05
    none = landmarker(picture(), UPRIGHT.select(np.zeros(0, int)))
    assert len(none) == 0
    assert none.point_px.shape == (0, 39, 2)
    assert none.mask.shape == (0, 256, 256)


def test_the_mask_is_where_the_person_is(landmarker):
    found = landmarker(picture(), UPRIGHT)
    row, column = np.mgrid[:256, :256]
    place = to_footage(UPRIGHT, 256, np.stack([column + 0.5, row + 0.5], -1)[None])[0]
    shown = found.mask[0] > 0.5
    head = np.linalg.norm(place - (97, 52), axis=-1) < 20
    sky = (place[..., 0] > 140) & (place[..., 1] < 80) & (place[..., 1] > 0)
    assert shown[head].mean() > 0.95
    assert shown[sky].mean() < 0.02
    assert 0 <= found.mask.min() <= found.mask.max() <= 1


def test_nobody_is_there_in_gray(landmarker):
    assert landmarker(np.full((224, 224, 3), 128, np.uint8), UPRIGHT).presence[0] < 0.5


def test_maps_make_landmarks_more_exact():
    """To the middle of what is warm nearby; not where nothing is warm, nor from outside, nor to far away."""
    points = np.full((1, 39, 2), 100.0)
    heat = np.full((1, 39, 64, 64), -50.0)
    heat[0, 0, 27, [24, 25]] = 50  # rows 27, columns 24.5: two cells
    heat[0, 1, 60, 60] = 50
    heat[0, 2, 25, 25] = -1
    points[0, 3] = (-9, 100)
    heat[0, 3] = 50
    points[0, 4] = (255, 255)
    heat[0, 4, 63, 62] = 50
    heat[0, 33] = 50
    refined = _refined(points, heat)
    assert np.allclose(refined[0, :5], [(98, 108), (100, 100), (100, 100), (-9, 100), (248, 252)])
    assert np.array_equal(refined[0, 5:], points[0, 5:])
