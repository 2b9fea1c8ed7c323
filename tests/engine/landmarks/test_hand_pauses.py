# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands that are refused get pauses; hands that are used, that moved or grew, and those of others do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.landmarks.extremities.hand_pauses import HandPauses, no_pauses
from engine.landmarks.extremities.hand_skeleton import LEFT, RIGHT
from engine.landmarks.observations import BodyLandmarks, Crops, FollowedPeople

PERSON, SIDE = np.array([0, 0]), np.array([LEFT, RIGHT])
LEFT_REFUSED = np.array([True, False])


def person(scale: float = 1.0, raised: float = 0.0, track_id: int = 3) -> FollowedPeople:
    """With a trunk of 100 pixels; the left hand may be raised by so many."""
    point = np.full((1, 39, 2), 300.0)
    point[0, 34] -= (0, 100)
    point[0, 15], point[0, 16] = (340, 290 - raised), (260, 290)
    crop = Crops(np.zeros((1, 2)), np.ones(1), np.zeros(1))
    landmarks = BodyLandmarks(
        np.ones(1), scale * point, np.ones((1, 39)), np.zeros((1, 39, 3)), crop, np.zeros((1, 256, 256))
    )
    return FollowedPeople(np.array([track_id]), np.ones(1), landmarks, np.ones((1, 39), bool), np.zeros((1, 3)))


def frame(pauses: HandPauses, people: FollowedPeople, refused: np.ndarray = LEFT_REFUSED) -> tuple[HandPauses, list]:
    """What is known after a frame, and which hands were looked at in it."""
    worth = ~pauses.resting(people, PERSON, SIDE)
    return pauses.after(people, PERSON[worth], SIDE[worth], refused[worth]), worth.tolist()


def after_frames(count: int) -> tuple[HandPauses, list]:
    pauses, looked = no_pauses(), []
    for _ in range(count):
        pauses, worth = frame(pauses, person())
        looked.append(worth)
    return pauses, looked


def test_a_refused_hand_is_looked_at_in_every_third_frame_and_a_used_one_in_every() -> None:
    _, looked = after_frames(9)
    assert [left for left, _ in looked] == [True, True, False, False, True, False, False, True, False]
    assert all(right for _, right in looked)


def test_a_hand_that_was_used_once_has_to_be_refused_twice_again() -> None:
    pauses, _ = after_frames(4)
    pauses, first = frame(pauses, person(), np.array([False, False]))
    pauses, second = frame(pauses, person())
    _, third = frame(pauses, person())
    assert (first[0], second[0], third[0]) == (True, True, True)


@pytest.mark.parametrize(
    ("people", "rests"),
    [
        (person(raised=5.0), True),
        (person(raised=40.0), False),
        (person(scale=1.2), True),
        (person(scale=1.5), False),
        (person(track_id=4), False),
    ],
)
def test_a_hand_that_moved_or_grew_is_looked_at_at_once(people: FollowedPeople, rests: bool) -> None:
    pauses, _ = after_frames(2)
    assert pauses.resting(people, PERSON, SIDE).tolist() == [rests, False]


def test_those_who_have_gone_are_forgotten() -> None:
    pauses, _ = after_frames(3)
    assert len(pauses) == 1
    assert len(frame(pauses, person(track_id=5), np.array([False, False]))[0]) == 0


def test_a_state_goes_on_elsewhere_and_a_damaged_one_is_refused() -> None:
    pauses, _ = after_frames(3)
    restored = HandPauses.of_arrays(pauses.export())
    for name, array in vars(pauses).items():
        np.testing.assert_array_equal(vars(restored)[name], array)
    with pytest.raises(UserError, match="resume"):
        HandPauses.of_arrays(replace(pauses, waited=pauses.waited - 5).export())
    with pytest.raises(UserError, match="resume"):
        HandPauses.of_arrays({})
