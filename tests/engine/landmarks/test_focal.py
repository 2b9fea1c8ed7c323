# SPDX-License-Identifier: GPL-3.0-or-later
"""The focal length: told, guessed, and read off people whose camera is known."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.landmarks.camera import focal
from engine.landmarks.camera.focal import FocalEstimator, focal_from_mm, focal_from_people, prior_focal
from engine.landmarks.camera.focal_evidence import LOG_GRID, Blocks, Rows, look_at
from engine.landmarks.observations import BodyLandmarks, Crops, FollowedPeople

from .standing_people import SIZE, see


def rows_seen(share: float, noise: float = 0.01, people: int = 3, frames: int = 20) -> Rows:
    """People standing about, five frames a second, before a camera whose focal length is `share` of the long side."""
    dice = np.random.default_rng(7)
    count = people * frames
    places = np.stack([dice.uniform(-0.4, 0.4, count), dice.uniform(3, 5, count) * max(1.0, share)], axis=-1)
    turns = dice.uniform(0, 2 * np.pi, count)
    seen = see(places, turns, share * SIZE[0], pitch=0.3, height=2.6, noise=noise, dice=dice)
    times, tracks = np.repeat(np.arange(frames) / 5, people), np.tile(np.arange(people), frames)
    return Rows(times, tracks, seen.point_px, seen.world, seen.visibility, seen.inside)


def frames_of(rows: Rows) -> list[tuple[float, FollowedPeople]]:
    result = []
    for time_s in np.unique(rows.time_s):
        part = rows.select(rows.time_s == time_s)
        count = len(part.time_s)
        crop = Crops(part.point_px[:, 33], np.full(count, 300.0), np.zeros(count))
        mask = np.zeros((count, 256, 256), np.float16)
        marks = BodyLandmarks(np.ones(count), part.point_px, part.visibility, part.world, crop, mask)
        people = FollowedPeople(part.track_id, np.ones(count), marks, part.inside, np.zeros((count, 3)))
        result.append((float(time_s), people))
    return result


@pytest.mark.parametrize("share", [0.6, 0.85, 1.2])
def test_people_tell_the_focal_length_within_its_stated_error(share: float) -> None:
    estimate = focal_from_people(look_at(rows_seen(share), Blocks.empty(), SIZE), SIZE)
    assert estimate.source == "people"
    assert estimate.log_sigma < 0.2
    assert abs(np.log(estimate.focal_px / (share * SIZE[0]))) < 2 * estimate.log_sigma


@pytest.mark.parametrize("share", [0.6, 0.85, 1.2])
def test_perfect_landmarks_tell_it_exactly(share: float) -> None:
    blocks = look_at(rows_seen(share, noise=0.0), Blocks.empty(), SIZE)
    best = np.exp(LOG_GRID[blocks.cost.sum(axis=0).argmin()])
    step = np.exp(LOG_GRID[1] - LOG_GRID[0])
    assert share / step < best < share * step


def test_one_glance_says_less_than_many_and_nobody_says_nothing() -> None:
    rows = rows_seen(1.6, people=1, frames=1)
    few = focal_from_people(look_at(rows, Blocks.empty(), SIZE), SIZE)
    many = focal_from_people(look_at(rows_seen(1.6), Blocks.empty(), SIZE), SIZE)
    nobody = focal_from_people(Blocks.empty(), SIZE)
    assert few.log_sigma > many.log_sigma
    assert nobody.source == "prior"
    assert nobody.focal_px == pytest.approx(prior_focal(SIZE).focal_px, rel=0.01)
    assert nobody.log_sigma == pytest.approx(focal.PRIOR_LOG_SIGMA, rel=0.05)


def test_millimetres_are_those_of_a_full_frame_along_the_long_side() -> None:
    assert focal_from_mm(36, (1920, 1080)).focal_px == 1920
    assert focal_from_mm(18, (1080, 1920)).focal_px == 960
    assert focal_from_mm(36, SIZE).log_sigma < focal_from_mm(36, SIZE, "tags").log_sigma
    with pytest.raises(UserError, match="focal length"):
        focal_from_mm(2, SIZE)


def test_a_told_focal_length_is_kept() -> None:
    told = focal_from_mm(50, SIZE)
    estimator = FocalEstimator(SIZE, told)
    for time_s, people in frames_of(rows_seen(0.6)):
        assert estimator.update(people, time_s) == told
    assert estimator.final() == told


def test_the_streamed_value_creeps_and_the_last_one_is_that_of_the_whole_clip() -> None:
    rows = rows_seen(1.3)
    estimator, values = FocalEstimator(SIZE), []
    for time_s, people in frames_of(rows):
        values.append(estimator.update(people, time_s).focal_px)
    steps = np.abs(np.diff(np.log(values)))
    assert 0 < steps.max() <= focal._GREATEST_STEP_PER_S / 5 + 1e-9
    assert estimator.final() == focal_from_people(look_at(rows, Blocks.empty(), SIZE), SIZE)


def test_a_copy_goes_its_own_way_and_a_restored_one_the_same_way() -> None:
    frames = frames_of(rows_seen(1.3))
    estimator = FocalEstimator(SIZE)
    for time_s, people in frames[:9]:
        estimator.update(people, time_s)
    aside, restored = copy.copy(estimator), FocalEstimator(SIZE)
    restored.restore_state(estimator.export_state())
    before = estimator.final()
    for time_s, people in frames[9:]:
        aside.update(people, time_s)
        restored.update(people, time_s)
    assert estimator.final() == before
    assert restored.final() == aside.final() != before
    assert restored.current == aside.current


def test_a_forged_state_is_refused() -> None:
    state = FocalEstimator(SIZE).export_state()
    for name, value in (("current", np.array([-1.0, 0.1, 0.0])), ("source", np.array(7)), ("cost", np.zeros((1, 2)))):
        with pytest.raises(UserError, match="resume"):
            FocalEstimator(SIZE).restore_state({**state, name: value})
