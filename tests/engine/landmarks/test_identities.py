# SPDX-License-Identifier: GPL-3.0-or-later
"""People keep their identities: alone, crossing, after gaps, beside each other; and nobody has two."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.landmarks.following.clothes import clothes_of, difference
from engine.landmarks.following.identities import Identities
from engine.resuming.state_reader import StateReader

from .scripted import BLUE, GREEN, RED, Person, Stage, detections

STEP_S = 0.1


def play(frames, identities=None, start_s=0.0):
    """Look at frames of people, all believed: the ids of each frame's, in their order (-1: none yet)."""
    identities, stage, told = identities or Identities(), Stage(), []
    for index, people in enumerate(frames):
        seen = [person for person in people if person.is_detected]
        found, time_s = detections(seen), start_s + index * STEP_S
        keys = identities.update(found, clothes_of(stage.frame(people), found), time_s)
        identities.judge({int(key): True for key in keys if key >= 0})
        ids = {track.key: track.track_id for track in identities.tracks}
        told.append([ids.get(int(key), -1) for key in keys])
    return told, identities


def crossing(count=30, first=RED, second=BLUE, hidden=range(0)):
    """Somebody walks to the right in front of somebody who walks to the left and is not detected in some frames."""
    return [
        [
            Person(500 - 14 * index, color=second, is_detected=index not in hidden),
            Person(100 + 14 * index, y=190, height=215, color=first),
        ]
        for index in range(count)
    ]


def test_an_identity_comes_with_the_third_sighting():
    told, _ = play([[Person(100 + 5 * index)] for index in range(5)])
    assert told == [[-1], [-1], [0], [0], [0]]


def test_one_who_is_not_believed_never_gets_one():
    identities = Identities()
    for index in range(10):
        found = detections([Person(100)])
        (key,) = identities.update(found, clothes_of(Stage().frame([Person(100)]), found), index * STEP_S)
        identities.judge({int(key): False})
    assert [track.track_id for track in identities.tracks] == [-1]


def test_one_of_whom_the_landmarks_are_sure_gets_it_at_once():
    identities = Identities()
    found = detections([Person(100)])
    (key,) = identities.update(found, clothes_of(Stage().frame([Person(100)]), found), 0.0)
    identities.judge({int(key): True}, frozenset({int(key)}))
    assert identities.tracks[0].track_id == 0


@pytest.mark.parametrize("hidden", [range(0), range(12, 17), range(11, 22)], ids=["seen", "short", "long"])
def test_people_who_cross_keep_theirs(hidden):
    told, _ = play(crossing(hidden=hidden))
    assert told[5] == told[-1] == [0, 1]
    assert {one for ids in told for one in ids} == {-1, 0, 1}


def test_people_who_are_seen_as_one_for_a_while_part_as_who_they_were():
    """They meet, stand together, of whom one is detected, and go back to where each came from."""
    steps = [*range(11), *[10] * 6, *range(10, -1, -1)]
    frames = []
    for index, step in enumerate(steps):
        together = 11 <= index < 17
        red = Person(200 + 10 * step, color=RED, is_detected=not together)
        blue = Person(420 - 10 * step, color=BLUE)
        frames.append([red, blue])
    told, _ = play(frames)
    assert told[8] == told[-1] == [0, 1]


def test_somebody_hidden_by_another_is_known_again_after_seconds():
    frames = [[Person(200 + 10 * step, color=RED), Person(340, color=BLUE)] for step in range(11)]
    frames += [[Person(310 + step, color=RED, is_detected=False), Person(340 + step, color=BLUE)] for step in range(30)]
    frames += [[Person(340 + 10 * step, color=RED), Person(370 - step, color=BLUE)] for step in range(12)]
    told, _ = play(frames)
    assert told[8] == told[-1] == [0, 1]


def test_where_the_detection_of_two_is_the_other_ones_the_clothes_decide_when_they_part():
    """One detection between two people goes on as the wrong one: the colors tell, as soon as both are seen again."""
    frames = [[Person(200 + 10 * step, color=RED), Person(420 - 10 * step, color=BLUE)] for step in range(10)]
    frames += [[Person(300, color=BLUE)]] * 4  # where the red one was, and wearing blue
    frames += [[Person(300 - 10 * step, color=RED), Person(315 + 10 * step, color=BLUE)] for step in range(10)]
    told, _ = play(frames)
    assert told[8] == told[-1] == [0, 1]


@pytest.mark.parametrize("gap_s", [0.3, 0.8, 1.4])
def test_somebody_lost_is_known_again(gap_s):
    gap = round(gap_s / STEP_S)
    frames = [[Person(100 + 6 * index, is_detected=not 10 <= index < 10 + gap)] for index in range(20 + gap)]
    told, _ = play(frames)
    assert told[9] == told[-1] == [0]


def test_somebody_lost_for_longer_is_somebody_new():
    frames = [[Person(100, is_detected=not 10 <= index < 27)] for index in range(35)]
    told, _ = play(frames)
    assert told[9] == [0]
    assert told[-1] == [1]


def test_somebody_in_other_clothes_does_not_take_a_lost_ones_identity():
    frames = [[Person(100)] for _ in range(10)] + [[]] * 8 + [[Person(110, color=BLUE)] for _ in range(6)]
    told, _ = play(frames)
    assert told[-1] == [1]


def test_somersaults_and_falls_keep_theirs():
    """Upright, upside down and upright again while falling: at each sighting 40 pixels lower, after a gap of 0.2 s."""
    frames = []
    for index in range(24):
        person = Person(300 + 6 * index, y=100 + 8 * index, height=150)
        frames.append([person if index < 8 or index % 3 == 0 else replace(person, is_detected=False)])
    told, _ = play(frames)
    assert [ids for ids in told if ids][-1] == [0]


def test_frame_times_count_and_not_frames():
    """Half the frames, at the same times: the same identities."""
    whole, _ = play(crossing(hidden=range(12, 17)))
    identities, stage = Identities(), Stage()
    for index, people in list(enumerate(crossing(hidden=range(12, 17))))[::2]:
        found = detections([person for person in people if person.is_detected])
        keys = identities.update(found, clothes_of(stage.frame(people), found), index * STEP_S)
        identities.judge({int(key): True for key in keys})
    ids = {track.key: track.track_id for track in identities.tracks}
    assert [ids[int(key)] for key in keys] == whole[-2]


def test_two_detections_of_one_person_are_one_track():
    frames = [[Person(200), Person(204, score=0.4)] for _ in range(8)]
    told, identities = play(frames)
    assert told[-1] == [0, -1]
    assert len(identities.tracks) == 1


def test_of_two_tracks_that_follow_one_person_the_younger_ends():
    apart = [[Person(200), Person(400, color=BLUE)] for _ in range(6)]
    meeting = [[Person(200 + 10 * step), Person(max(400 - 20 * step, 203 + 10 * step))] for step in range(10)]
    _, identities = play(apart + meeting)
    assert [track.track_id for track in identities.tracks if track.is_seen] == [0]


def test_two_who_are_known_for_long_stay_two_though_both_detections_lie_on_one():
    steps = [*range(11), *[10] * 8, *range(10, -1, -1)]
    told, _ = play([[Person(200 + 10 * step), Person(404 - 10 * step, color=BLUE)] for step in steps])
    assert told[8] == told[-1] == [0, 1]


def test_people_beside_each_other_in_the_same_clothes_are_two():
    told, _ = play([[Person(200 + step), Person(275 - step)] for step in [*range(8), *range(8, -1, -1)]])
    assert told[-1] == [0, 1]


def test_ids_are_never_given_twice():
    frames = []
    for color in (RED, BLUE, GREEN):
        frames += [[Person(100, color=color)]] * 5 + [[]] * 17
    told, _ = play(frames)
    assert [ids[0] for ids in told if ids and ids[0] >= 0][::3] == [0, 1, 2]


def test_a_copy_goes_its_own_way():
    _, identities = play(crossing(10))
    before = identities.export_state()
    play([[Person(300, color=GREEN)]] * 5, copy.copy(identities), start_s=1.0)
    after = identities.export_state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_state_goes_on_elsewhere():
    frames = crossing(hidden=range(12, 17))
    whole, _ = play(frames)
    first, identities = play(frames[:14])
    elsewhere = Identities()
    elsewhere.restore_state(StateReader("the people", identities.export_state()))
    second, _ = play(frames[14:], elsewhere, start_s=14 * STEP_S)
    assert first + second == whole


@pytest.mark.parametrize("name, value", [("track_id", 7), ("key", -1), ("key", 99), ("hits", 0.5), ("clothes", np.nan)])
def test_a_damaged_state_is_refused(name, value):
    _, identities = play(crossing(10))
    arrays = identities.export_state()
    arrays[name] = np.full_like(arrays[name], value, dtype=np.asarray(value).dtype)
    with pytest.raises(UserError):
        Identities().restore_state(StateReader("the people", arrays))


def test_clothes_differ_by_color_and_not_by_place():
    stage = Stage()
    people = [Person(100), Person(300), Person(500, color=BLUE)]
    clothes = clothes_of(stage.frame(people), detections(people))
    assert difference(clothes[0], clothes[1]) < 0.1
    assert difference(clothes[0], clothes[2]) > 0.9
    assert difference(clothes[0], np.zeros_like(clothes[0])) is None
