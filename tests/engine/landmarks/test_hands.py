# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hands are looked at, where, and each reason for not believing what is seen there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.contract.body_model import BodyModel, default_body_path
from engine.landmarks.extremities.hand_skeleton import LEFT, RIGHT
from engine.landmarks.extremities.hands import (
    HandLandmarks,
    HandSettings,
    Refusal,
    candidates,
    fine_crops,
    followed_hands,
    next_crops,
    refusals,
    rough_crops,
    upright,
)
from engine.landmarks.observations import Crops

from .seen_people import HEIGHT, WIDTH, people_of, standing

SETTINGS = HandSettings()


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


def one_hand(side: int = LEFT, span_px: float = 40.0, corner: tuple[float, float] = (200.0, 100.0)) -> HandLandmarks:
    """A hand that nothing speaks against."""
    point = np.random.default_rng(0).random((1, 21, 2))
    point = (point - point.min(1)) / np.ptp(point, axis=1) * span_px + corner
    return HandLandmarks(
        np.array([0]), np.array([side]), point[:, 0] + 2.0, point, np.zeros((1, 21, 3)), np.array([0.95]),
        np.array([0.97 if side == RIGHT else 0.03]), Crops(np.zeros((1, 2)), np.ones(1), np.zeros(1)),
    )  # fmt: skip


def both(first: HandLandmarks, second: HandLandmarks) -> HandLandmarks:
    joined = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("person", "side", "body_wrist_px", "point_px", "world", "presence", "right")
    }
    return HandLandmarks(**joined, crop=first.crop.select(np.array([0, 0])))


def judged(hands: HandLandmarks) -> list[Refusal]:
    return [Refusal(code) for code in refusals(hands, WIDTH, HEIGHT, SETTINGS)]


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_a_good_hand_is_used(side: int) -> None:
    assert judged(one_hand(side)) == [Refusal.NONE]


@pytest.mark.parametrize(("span", "reason"), [(19.0, Refusal.SMALL), (21.0, Refusal.NONE)])
def test_small_hands_are_refused(span: float, reason: Refusal) -> None:
    hand = one_hand(span_px=span)
    assert judged(replace(hand, body_wrist_px=hand.point_px[:, 0])) == [reason]


def test_doubtful_hands_are_refused() -> None:
    assert judged(replace(one_hand(), presence=np.array([0.79]))) == [Refusal.PRESENCE]


@pytest.mark.parametrize(("side", "right"), [(LEFT, 0.9), (RIGHT, 0.1)])
def test_a_hand_of_the_other_side_is_refused(side: int, right: float) -> None:
    assert judged(replace(one_hand(side), right=np.array([right]))) == [Refusal.OTHER_SIDE]


@pytest.mark.parametrize(("outside", "reason"), [(4, Refusal.NONE), (5, Refusal.CUT_OFF)])
def test_hands_that_the_edge_cuts_are_refused(outside: int, reason: Refusal) -> None:
    hand = one_hand()
    point = hand.point_px.copy()
    point[0, -outside:, 0] = -1.0
    hand = replace(hand, point_px=point, body_wrist_px=point[:, 0])
    assert judged(hand) == [reason]


def test_a_hand_elsewhere_is_refused() -> None:
    hand = one_hand()
    assert judged(replace(hand, body_wrist_px=hand.point_px[:, 0] + (0.0, 25.0))) == [Refusal.ELSEWHERE]
    assert judged(replace(hand, body_wrist_px=hand.point_px[:, 0] + (0.0, 22.0))) == [Refusal.NONE]


def test_of_one_hand_found_twice_the_surer_is_used() -> None:
    left, right = one_hand(LEFT), one_hand(RIGHT)
    right = replace(right, point_px=left.point_px + 3.0, body_wrist_px=left.point_px[:, 0] + 8.0)
    assert judged(both(left, right)) == [Refusal.NONE, Refusal.COINCIDES]
    assert judged(both(right, left)) == [Refusal.COINCIDES, Refusal.NONE]
    assert judged(both(left, one_hand(RIGHT, corner=(300.0, 100.0)))) == [Refusal.NONE, Refusal.NONE]


def test_a_hand_that_is_refused_anyway_takes_no_other_down() -> None:
    left, right = one_hand(LEFT), one_hand(RIGHT)
    right = replace(right, point_px=left.point_px, body_wrist_px=left.point_px[:, 0], right=np.array([0.0]))
    left = replace(left, right=np.array([0.4]))
    assert judged(both(left, right)) == [Refusal.NONE, Refusal.OTHER_SIDE]


def test_near_people_are_looked_at_and_far_ones_are_not(body: BodyModel) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0), (0.5, 0.2, 14.0)])
    person, side = candidates(people_of(bodies), SETTINGS)
    assert list(zip(person, side, strict=True)) == [(0, LEFT), (0, RIGHT)]


def test_hidden_hands_and_hands_outside_are_not_looked_at(body: BodyModel) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0)])
    assert len(candidates(people_of(bodies, visibility=0.4), SETTINGS)[0]) == 0
    aside = standing(body, [(0.7, 0.2, 3.0)])  # facing the camera, the left hand is to the right, out of the frame
    assert candidates(people_of(aside), SETTINGS)[1].tolist() == [RIGHT]


def test_crops_have_the_fingers_up_and_hold_the_hand(body: BodyModel) -> None:
    people = people_of(standing(body, [(0.0, 0.2, 3.0)]))
    side = np.array([LEFT, RIGHT])
    point = people.landmarks.point_px[[0, 0]]
    crop = rough_crops(point, side)
    knuckles, wrist = point[[0, 1], [19, 20]], point[[0, 1], [15, 16]]
    up = np.stack([np.sin(crop.angle), -np.cos(crop.angle)], axis=-1)
    assert (((knuckles - wrist) * up).sum(-1) > 0.9 * np.linalg.norm(knuckles - wrist, axis=-1)).all()
    assert (np.linalg.norm(crop.centre_px - knuckles, axis=-1) < 0.3 * crop.side_px).all()
    assert (crop.side_px > 2 * np.linalg.norm(knuckles - wrist, axis=-1)).all()


def test_the_fine_crop_follows_the_network() -> None:
    crop = fine_crops(np.array([[100.0, 50.0]]), np.array([[100.0, 80.0]]))  # the wrist below: no turn
    np.testing.assert_allclose(crop.angle, 0.0, atol=1e-12)
    np.testing.assert_allclose(crop.side_px, 60.0)
    np.testing.assert_allclose(crop.centre_px, [[100.0, 44.0]])
    aside = fine_crops(np.array([[100.0, 50.0]]), np.array([[70.0, 50.0]]))  # fingers to the right
    np.testing.assert_allclose(aside.angle, np.pi / 2)
    np.testing.assert_allclose(aside.centre_px, [[106.0, 50.0]])


def test_points_of_a_turned_crop_are_turned_back() -> None:
    up_in_crop = np.array([[[0.0, -1.0, 0.3]]])
    np.testing.assert_allclose(upright(up_in_crop, np.array([np.pi / 2])), [[[1.0, 0.0, 0.3]]], atol=1e-12)


def test_the_next_crop_lies_round_the_palm_with_the_fingers_up() -> None:
    point = np.zeros((1, 21, 2))
    point[0, :] = (100.0, 60.0)
    point[0, [0, 5, 17, 6, 10, 14, 18]] = [(100, 100), (80, 60), (120, 60), (80, 50), (95, 45), (110, 50), (120, 52)]
    crop = next_crops(point)
    up = np.array([np.sin(crop.angle[0]), -np.cos(crop.angle[0])])
    assert up @ (0.0, -1.0) > 0.99
    inside = np.abs(point[0] - crop.centre_px[0]).max(axis=1) < 0.5 * crop.side_px[0]
    assert inside.all() and crop.side_px[0] == pytest.approx(2 * 55, rel=0.1)
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    turned = next_crops(point @ quarter)  # everything turns with the hand
    np.testing.assert_allclose(turned.centre_px, crop.centre_px @ quarter, atol=1e-9)
    np.testing.assert_allclose(turned.side_px, crop.side_px)
    np.testing.assert_allclose(np.cos(turned.angle - crop.angle), 0.0, atol=1e-9)


def test_a_followed_hand_goes_along_with_its_wrist(body: BodyModel) -> None:
    people = people_of(standing(body, [(0.0, 0.2, 3.0), (0.6, 0.2, 3.0)]))
    hands = replace(both(one_hand(LEFT), one_hand(RIGHT)), person=np.array([1, 0]))
    followed = followed_hands(hands, people)
    rows = followed.rows_of(np.array([0, 0, 1, 5]), np.array([LEFT, RIGHT, LEFT, LEFT]))
    assert rows.tolist() == [-1, 1, 0, -1]
    moved = followed.gone_along(np.array([1]), hands.body_wrist_px[[1]] + (12.0, -5.0))
    np.testing.assert_allclose(moved.centre_px - followed.crop.centre_px[[1]], [[12.0, -5.0]])
    np.testing.assert_allclose(moved.side_px, followed.crop.side_px[[1]])
