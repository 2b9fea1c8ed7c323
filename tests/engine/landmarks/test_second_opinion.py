# SPDX-License-Identifier: GPL-3.0-or-later
"""What the detector says of people's left and right when it is asked about one of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.landmarks.following.following import Follower
from engine.landmarks.following.likeness import MIRRORED
from engine.landmarks.following.looking import QUALITIES, FollowingSettings
from engine.landmarks.following.second_opinion import is_doubtful, opinions
from engine.landmarks.networks.crops import to_footage
from engine.landmarks.observations import LANDMARKS_OF_KEYPOINTS, BodyLandmarks, Crops, Detections

from .scripted import HEIGHT, WIDTH, Person, Stage

ROOM = np.zeros((400, 400, 3), np.uint8)
ARMS, LEGS = (7, 8, 9, 10), (13, 14, 15, 16)


def keypoints(breadth: float, stride: float) -> np.ndarray:
    """(17, 2) of somebody 200 pixels tall at the middle of the room."""
    points = np.zeros((17, 2))
    rows = {5: (-70, breadth), 7: (-30, breadth), 9: (0, stride), 11: (0, breadth), 13: (50, stride / 2)}
    for left, (down, aside) in {**rows, 15: (100, stride)}.items():
        points[left], points[left + 1] = (aside / 2, down), (-aside / 2, down)
    points[:5] = (3, -95)
    return points + 200.0


def seen(points: np.ndarray) -> BodyLandmarks:
    """The landmarks of one person."""
    point_px = np.full((1, 39, 2), 200.0)
    point_px[0, list(LANDMARKS_OF_KEYPOINTS)] = points
    crop = Crops(np.array([[200.0, 200.0]]), np.array([300.0]), np.zeros(1))
    ones = np.ones((1, 39))
    return BodyLandmarks(np.ones(1), point_px, ones, np.zeros((1, 39, 3)), crop, np.zeros((1, 256, 256), np.float16))


class Looks:
    """A detector that has a person's keypoints, in pixels of the room, in the square that it is shown."""

    def __init__(self, points: np.ndarray, score: float = 0.8) -> None:
        self.points, self.score, self.count = points, score, 0

    def __call__(self, rgb: np.ndarray, _long_side: int) -> Detections:
        self.count += 1
        edge = rgb.shape[0]
        square = Crops(np.array([[200.0, 200.0]]), np.array([330.0]), np.zeros(1))
        corners = to_footage(square, edge, np.array([[[0.0, 0.0], [edge, edge]]]))[0]
        px = (self.points - corners[0]) / (corners[1] - corners[0]) * edge - 0.5
        box = np.concatenate([px.min(axis=0) - 5, px.max(axis=0) + 5])
        return Detections(np.array([0.7]), px[None], np.full((1, 17), self.score), box[None])


def test_people_seen_from_the_side_with_feet_apart_are_asked_about() -> None:
    cases = [(5, 60, True), (5, 4, False), (60, 60, False)]
    assert [bool(is_doubtful(seen(keypoints(breadth, stride)))[0]) for breadth, stride, _ in cases] == [
        expected for *_, expected in cases
    ]


@pytest.mark.parametrize("exchanged", [(), LEGS, ARMS, (*ARMS, *LEGS)])
def test_it_tells_which_limbs_are_exchanged(exchanged: tuple[int, ...]) -> None:
    points = keypoints(5, 60)
    told = points.copy()
    told[list(exchanged)] = points[np.array(MIRRORED)[list(exchanged)]]
    said = opinions(Looks(told), ROOM, seen(points), np.ones(1, bool))[0]
    assert abs(said[0]) < 0.3, "the torso's two sides lie on each other"
    for group, joints in ((1, ARMS), (2, LEGS)):
        assert np.sign(said[group]) == (-1 if joints[0] in exchanged else 1)
        assert abs(said[group]) > 0.3


def test_it_says_nothing_of_what_it_does_not_see_and_is_not_asked_in_vain() -> None:
    points = keypoints(5, 60)
    assert not opinions(Looks(points, score=0.1), ROOM, seen(points), np.ones(1, bool)).any()
    assert not opinions(Looks(points + np.array([120.0, 0.0])), ROOM, seen(points), np.ones(1, bool)).any()
    detector = Looks(points)
    assert not opinions(detector, ROOM, seen(points), np.zeros(1, bool)).any()
    assert detector.count == 0


@pytest.mark.parametrize("quality", QUALITIES)
def test_tiles_take_turns(quality: str) -> None:
    stage, shapes = Stage(), []

    def detector(rgb: np.ndarray, long_side: int) -> Detections:
        shapes.append((rgb.shape[1], long_side))
        return stage.detect(rgb, long_side)

    follower = Follower(detector, stage.land, FollowingSettings(quality))
    looks = QUALITIES[quality]
    for number in range(12 * looks.period):
        follower.update(stage.frame([Person(200.0)]), number / 30.0)
        if number == 0:
            assert shapes == [(WIDTH, looks.long_side)] + [(HEIGHT, looks.tile_side)] * 3
    whole = sum(shape == (WIDTH, looks.long_side) for shape in shapes)
    tiles = sum(shape == (HEIGHT, looks.tile_side) for shape in shapes)
    assert tiles - 3 == (whole - 1) // looks.tile_period
