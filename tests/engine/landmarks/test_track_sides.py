# SPDX-License-Identifier: GPL-3.0-or-later
"""Left and right over a whole track: people who walk past, whose landmarks have them exchanged here and there."""

from __future__ import annotations

import numpy as np
import pytest

from engine.landmarks.observations import LANDMARK_COUNT
from engine.landmarks.whole_clip.clip_observations import ClipObservations
from engine.landmarks.whole_clip.track_sides import ARMS, LEGS, TORSO, exchanged, sides_of_track, with_sides_of_tracks

from .standing_people import see

LENGTH = 90
SIZE_PX = 200.0
STEP_S = 1.1
"""Of two steps."""


def walk(rate: float = 30.0, noise: float = 0.01, still: bool = False, track: int = 0) -> ClipObservations:
    """Somebody who walks to the right past the camera, or stands and then walks; his left is the far side."""
    time_s = np.arange(LENGTH) / rate
    dice = np.random.default_rng(1)
    swing = np.sin(2 * np.pi * time_s / STEP_S + 0.4) * (np.where(time_s < 1.0, 0.0, 1.0) if still else 1.0)
    point, world = np.zeros((LENGTH, LANDMARK_COUNT, 2)), np.zeros((LENGTH, LANDMARK_COUNT, 3))
    heights = {11: -0.5, 13: -0.2, 15: 0.05, 23: 0.0, 25: 0.4, 27: 0.8, 29: 0.82, 31: 0.85}
    reach = {13: -0.12, 15: -0.3, 25: 0.2, 27: 0.4, 29: 0.4, 31: 0.4}
    for left, height in heights.items():
        for side, sign in ((left, 1.0), (left + 1, -1.0)):
            point[:, side] = np.stack([sign * swing * reach.get(left, 0.0) + sign * 0.015, np.full(LENGTH, height)], -1)
            world[:, side, :2], world[:, side, 2] = point[:, side], 0.15 * sign
    point = (point + dice.normal(0, noise, point.shape)) * SIZE_PX + np.stack([300 + 100 * time_s, 0 * time_s], -1)[
        :, None
    ]
    return observed(time_s, point, world, track)


def observed(time_s: np.ndarray, point_px: np.ndarray, world: np.ndarray, track: int = 0) -> ClipObservations:
    count = len(time_s)
    everything = np.ones((count, LANDMARK_COUNT))
    return ClipObservations(
        np.arange(count), time_s, np.full(count, track), np.ones(count, np.float32), np.zeros((count, 4), np.float32),
        point_px.astype(np.float32), world.astype(np.float32), everything.astype(np.float32), everything > 0,
        np.zeros((count, 3), np.float32),
    )  # fmt: skip


def wrong_in(track: ClipObservations, frames: slice, *groups: int) -> tuple[ClipObservations, np.ndarray]:
    """The track with groups exchanged in some frames."""
    states = np.zeros((len(track), 3), bool)
    states[frames, list(groups)] = True
    return exchanged(track, states), states


def apart(track: ClipObservations) -> np.ndarray:
    """(T,) bool: the ankles are plainly apart, so that it is told which is which."""
    return np.abs(track.point_px[:, 27, 0] - track.point_px[:, 28, 0]) > 0.15 * SIZE_PX


@pytest.mark.parametrize("rate", [30.0, 15.0, 10.0])
def test_a_walk_is_left_as_it_is(rate: float) -> None:
    assert not sides_of_track(walk(rate)).any()


def test_exchanging_twice_changes_nothing() -> None:
    track, states = walk(), np.random.default_rng(0).random((LENGTH, 3)) < 0.5
    again = exchanged(exchanged(track, states), states)
    for name, value in track.export_state().items():
        np.testing.assert_array_equal(again.export_state()[name], value)


@pytest.mark.parametrize("rate", [30.0, 15.0])
@pytest.mark.parametrize("groups", [(LEGS,), (ARMS,), (TORSO, ARMS, LEGS)])
def test_what_was_exchanged_for_a_few_frames_is_put_right(groups: tuple[int, ...], rate: float) -> None:
    track = walk(rate)
    wrong, states = wrong_in(track, slice(40, 44), *groups)
    told = apart(track)
    np.testing.assert_array_equal(sides_of_track(wrong)[told], states[told])
    right, _ = with_sides_of_tracks(wrong)
    np.testing.assert_allclose(right.point_px[told][:, 11:33], track.point_px[told][:, 11:33])
    np.testing.assert_allclose(right.world[told][:, 11:33], track.world[told][:, 11:33], atol=1e-6)


def test_legs_that_bounce_off_each_other_have_crossed() -> None:
    """From one meeting of the feet to the next the wrong way round: no joint ever jumps."""
    track = walk(noise=0.004)
    away = track.point_px[:, 27, 0] - track.point_px[:, 28, 0]
    meetings = np.flatnonzero(np.diff(np.sign(away)) != 0) + 1
    wrong, states = wrong_in(track, slice(int(meetings[1]), int(meetings[2])), LEGS)
    told = apart(track)
    np.testing.assert_array_equal(sides_of_track(wrong)[told], states[told])


def test_the_detector_decides_where_nothing_in_the_path_does() -> None:
    """Feet together, and then one goes ahead: whose it is only the picture tells."""
    track = walk(noise=0.004, still=True)
    wrong, states = wrong_in(track, slice(30, LENGTH), LEGS)
    told = apart(track)
    assert not sides_of_track(wrong)[told].any(), "most of the frames count, and they are alike"
    sides = wrong.sides.copy()
    sides[40::6, LEGS] = np.where(told, -0.8, 0.0)[40::6]
    sides[46, LEGS] = 0.8  # wrong for once
    said = ClipObservations(**{**wrong.export_state(), "sides": sides})
    np.testing.assert_array_equal(sides_of_track(said)[told], states[told])


def test_somebody_who_turns_round_is_left_as_he_is() -> None:
    time_s = np.arange(45) / 30.0
    turns = np.pi * (1.5 * time_s).clip(0, 1) ** 2
    seen = see(np.stack([0.3 * time_s, np.full(45, 4.0)], axis=-1), turns, 1100.0, noise=0.01)
    assert not sides_of_track(observed(time_s, seen.point_px, seen.world)).any()


def test_each_track_is_looked_at_by_itself_and_short_ones_are_left() -> None:
    first, (second, states) = walk(track=3), wrong_in(walk(track=5), slice(20, 23), TORSO, ARMS, LEGS)
    both = ClipObservations.joined([first, second]).select(np.argsort(np.tile(np.arange(LENGTH), 2), kind="stable"))
    _, found = with_sides_of_tracks(both)
    assert not found[both.track_id == 3].any()
    np.testing.assert_array_equal(found[both.track_id == 5][apart(walk())], states[apart(walk())])
    assert not sides_of_track(second.select(np.arange(2))).any()
    right, none = with_sides_of_tracks(ClipObservations.empty())
    assert len(right) == len(none) == 0
