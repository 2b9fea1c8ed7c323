# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the follower gives in each frame: people, from their first frame to their last, and nothing else."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.landmarks.following.following import Follower
from engine.landmarks.following.looking import QUALITIES, FollowingSettings

from .scripted import BLUE, RED, Person, Stage

STEP_S = 1 / 30


def follow(frames, settings=None, follower=None, start=0, every=1):
    """The people of each frame, the follower and the stage that it saw."""
    stage = Stage()
    if follower is None:
        follower = Follower(stage.detect, stage.land, settings)
    else:
        follower._detector, follower._landmarker = stage.detect, stage.land
    given = []
    for index, people in list(enumerate(frames))[::every]:
        given.append(follower.update(stage.frame(people), (start + index) * STEP_S))
    return given, follower, stage


def ids(given):
    return [one.track_id.tolist() for one in given]


def walk(count, **values):
    return [[Person(100 + 4 * index, **values)] for index in range(count)]


@pytest.mark.parametrize("quality", QUALITIES)
def test_somebody_is_given_in_every_frame_from_the_first(quality):
    given, _, _ = follow(walk(40), FollowingSettings(quality=quality))
    assert ids(given) == [[0]] * 40
    for index, people in enumerate(given):
        assert np.abs(people.landmarks.point_px[0, 33] - (100 + 4 * index, 184)).max() < 1e-6
        assert people.inside.all()


@pytest.mark.parametrize("quality, most", [("preview", 12), ("standard", 17)])
def test_the_detector_looks_only_every_so_often(quality, most):
    _, _, stage = follow(walk(30), FollowingSettings(quality=quality))
    assert stage.looks <= most


def test_it_looks_in_every_frame_where_nobody_is():
    _, _, stage = follow([[]] * 10)
    assert stage.looks == 10


def test_a_thing_is_nobody():
    given, _, _ = follow([[Person(300, is_thing=True)]] * 40)
    assert ids(given) == [[]] * 40


def test_somebody_of_whom_the_detector_is_unsure_comes_with_the_third_sighting():
    given, _, _ = follow(walk(20, score=0.25))
    assert ids(given) == [[]] * 2 + [[0]] * 18


def test_nobody_is_given_for_long_where_the_detector_finds_nobody():
    """What stays behind deceives the landmarks alone."""
    frames = walk(20) + [[Person(180, is_detected=False)]] * 40
    given, _, _ = follow(frames)
    assert ids(given)[25] == [0]
    assert ids(given)[-25:] == [[]] * 25


def test_somebody_whom_the_detector_misses_for_moments_is_given_all_the_while():
    frames = [[Person(100 + 4 * index, is_detected=index % 8 < 4)] for index in range(60)]
    given, _, _ = follow(frames)
    assert ids(given) == [[0]] * 60


def test_somebody_who_leaves_is_gone_and_the_next_one_is_another():
    left = [[Person(560 + 10 * index)] for index in range(16)]
    entering = [[Person(-50 + 10 * index, color=BLUE)] for index in range(30)]
    given, _, _ = follow(left + [[]] * 60 + entering)
    assert ids(given)[40] == []
    assert ids(given)[-1] == [1]


def crossing(hidden=range(24, 34)):
    return [
        [
            Person(480 - 5 * index, color=BLUE, is_detected=index not in hidden),
            Person(180 + 5 * index, y=190, height=215),
        ]
        for index in range(60)
    ]


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("every", [1, 2])
def test_people_who_cross_are_never_two_on_one(quality, every):
    given, _, _ = follow(crossing(), FollowingSettings(quality=quality), every=every)
    assert {one for people in given for one in people.track_id.tolist()} == {0, 1}
    for people in given:
        hips = people.landmarks.point_px[:, 33, 0]
        assert len(np.unique(people.track_id)) == len(people)
        assert len(people) < 2 or abs(hips[0] - hips[1]) > 3
    last = dict(zip(given[-1].track_id.tolist(), given[-1].landmarks.point_px[:, 33, 0], strict=True))
    first = dict(zip(given[5].track_id.tolist(), given[5].landmarks.point_px[:, 33, 0], strict=True))
    assert (first[0] > first[1]) != (last[0] > last[1])


def test_small_people_are_left_out_and_whoever_walks_away_is_not_lost_at_the_limit():
    settings = FollowingSettings(least_height=0.25)
    given, _, _ = follow([[Person(100), Person(400, height=70)]] * 10, settings)
    assert ids(given) == [[0]] * 10
    heights = [100 - 2 * index if index < 10 else 82 + (index % 2) * 10 for index in range(30)]
    given, _, _ = follow([[Person(300, height=height)] for height in heights], settings)
    assert ids(given) == [[0]] * 30


def test_a_copy_goes_its_own_way():
    frames = crossing()
    _, follower, _ = follow(frames[:20])
    before = follower.export_state()
    follow([[Person(300)]] * 10, follower=copy.copy(follower), start=20)
    after = follower.export_state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("at", [1, 20, 28, 45])
def test_state_goes_on_elsewhere(at):
    frames = crossing()
    whole, _, _ = follow(frames)
    first, follower, _ = follow(frames[:at])
    elsewhere = Follower(lambda *_: None, lambda *_: None)
    elsewhere.restore_state(follower.export_state())
    second, _, _ = follow(frames[at:], follower=elsewhere, start=at)
    for one, other in zip(whole, first + second, strict=True):
        assert one.track_id.tolist() == other.track_id.tolist()
        assert np.array_equal(one.landmarks.point_px, other.landmarks.point_px)


@pytest.mark.parametrize("name", ["carried_key", "carried_side", "carried_keypoints", "looks_of_detector", "seen_s"])
def test_a_damaged_state_is_refused(name):
    _, follower, _ = follow(crossing()[:20])
    arrays = follower.export_state()
    missing = {key: array for key, array in arrays.items() if key != name}
    for damaged in (missing, {**arrays, name: np.full((3,), -99)}, {**arrays, name: arrays[name][None]}):
        with pytest.raises(UserError):
            Follower(lambda *_: None, lambda *_: None).restore_state(damaged)


@pytest.mark.parametrize(
    "values", [{"quality": "great"}, {"detection_threshold": 0.0}, {"least_height": 1.0}, {"least_height": -0.1}]
)
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(UserError):
        FollowingSettings(**values)


def test_people_are_given_in_the_same_clothes_beside_each_other():
    frames = [[Person(200 + index, color=RED), replace(Person(300 - index), color=RED)] for index in range(12)]
    given, _, _ = follow(frames)
    assert ids(given)[-1] == [0, 1]
