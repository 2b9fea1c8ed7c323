# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities from tokens: optimal transport, matching, and the bank of people."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.errors import UserError
from engine.stages.person_tracking import (
    DUSTBIN_SCORE,
    PersonTracker,
    TrackerSettings,
    log_optimal_transport,
    match,
    token_scores,
)


def people(count: int, width: int = 16, seed: int = 0) -> np.ndarray:
    """Tokens that are far apart."""
    return np.random.default_rng(seed).normal(0, 30, (count, width)).astype(np.float32)


@given(m=st.integers(1, 6), n=st.integers(1, 6), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_plan_has_the_masses_that_were_asked_for(m: int, n: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(-8, 3, (m, n))
    plan = np.exp(log_optimal_transport(scores))
    np.testing.assert_allclose(plan.sum(axis=0), [*np.ones(n), m], rtol=1e-9)  # columns come last: exact
    np.testing.assert_allclose(plan.sum(axis=1), [*np.ones(m), n], rtol=0.35)  # rows after twenty rounds: near
    np.testing.assert_allclose(plan.sum(), m + n, rtol=1e-9)


def test_the_plan_does_not_depend_on_the_order_of_people() -> None:
    scores = np.random.default_rng(1).normal(-8, 3, (4, 3))
    plan, order = log_optimal_transport(scores), [2, 0, 3, 1]
    np.testing.assert_allclose(log_optimal_transport(scores[order]), plan[[*order, 4]], rtol=1e-9)


def test_extreme_scores_stay_finite() -> None:
    assert np.isfinite(log_optimal_transport(np.array([[-1e4, 0.0], [0.0, -1e4]]))).all()


def test_scores_are_minus_the_distances() -> None:
    scores = token_scores(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[3.0, 4.0]]))
    np.testing.assert_allclose(scores, [[-5.0], [0.0]])


def test_a_match_must_be_the_best_of_both_and_likely() -> None:
    def log(values: list[list[float]]) -> np.ndarray:
        with_dustbin = np.full((len(values) + 1, len(values[0]) + 1), 0.01)
        with_dustbin[:-1, :-1] = values
        return np.log(with_dustbin)

    assert match(log([[0.9, 0.05], [0.02, 0.8]])).tolist() == [0, 1]
    assert match(log([[0.9, 0.5], [0.02, 0.1]])).tolist() == [0, -1], "row 0 prefers column 0"
    assert match(log([[0.2, 0.0001], [0.0001, 0.21]])).tolist() == [-1, 1], "0.2 itself is not enough"


def test_people_keep_their_identity_in_any_order_and_after_being_lost() -> None:
    tracker, crowd, rng = PersonTracker(), people(4), np.random.default_rng(3)
    seen = {}
    for order in itertools.islice(itertools.permutations(range(4)), 0, 24, 3):
        visible = list(order[: rng.integers(0, 5)])
        ids = tracker.update(crowd[visible] + rng.normal(0, 0.1, (len(visible), 16)))
        for person, identity in zip(visible, ids, strict=True):
            assert seen.setdefault(person, identity) == identity
    assert sorted(seen.values()) == list(range(len(seen)))


def test_ids_count_in_the_order_of_detection_and_are_never_used_again() -> None:
    tracker = PersonTracker(TrackerSettings(memory_frames=1))
    assert tracker.update(people(2, seed=1)).tolist() == [0, 1]
    assert tracker.update(people(1, seed=2)).tolist() == [2]
    assert tracker.update(people(0)).tolist() == []
    assert tracker.update(people(2, seed=1)).tolist() == [3, 4], "they were forgotten, their numbers were not"


def test_somebody_farther_than_the_dustbin_is_somebody_else() -> None:
    for distance, same in ((4.0, True), (-2 * DUSTBIN_SCORE, False)):
        tracker = PersonTracker()
        tracker.update(np.zeros((1, 1), np.float32))
        assert (tracker.update(np.full((1, 1), distance, np.float32)).tolist() == [0]) is same


def test_the_bank_puts_the_newest_first_and_keeps_the_order_of_the_lost() -> None:
    tracker, crowd = PersonTracker(), people(4)
    tracker.update(crowd[:3])
    tracker.update(crowd[[3, 1]])
    assert tracker.export_state()["ids"].tolist() == [3, 1, 0, 2]
    np.testing.assert_array_equal(tracker.export_state()["tokens"], crowd[[3, 1, 0, 2]])


def test_a_frame_without_people_leaves_the_bank_alone() -> None:
    tracker = PersonTracker()
    assert tracker.update(np.zeros((0, 16), np.float32)).shape == (0,)
    tracker.update(people(2))
    before = tracker.export_state()["tokens"]
    tracker.update(np.zeros((0, 16), np.float32))
    np.testing.assert_array_equal(tracker.export_state()["tokens"], before)


def test_the_bank_is_bounded_however_many_people_pass() -> None:
    tracker = PersonTracker(TrackerSettings(memory_frames=10))
    for frame in range(100):
        tracker.update(people(2, seed=frame))
    assert len(tracker.export_state()["ids"]) == 2 * 11
    assert PersonTracker().settings.memory_frames >= 5000, "the default must not show in clips of a few thousand frames"


@pytest.mark.parametrize("stop", [0, 1, 4])
def test_going_on_elsewhere_gives_the_same_identities(stop: int) -> None:
    rng = np.random.default_rng(5)
    frames = [people(5)[rng.permutation(5)[: rng.integers(0, 5)]] for _ in range(8)]
    whole, first, second = (PersonTracker(TrackerSettings(3)) for _ in range(3))
    expected = [whole.update(tokens).tolist() for tokens in frames]
    ids = [first.update(tokens).tolist() for tokens in frames[:stop]]
    exported = first.export_state()
    assert all(isinstance(value, np.ndarray) for value in exported.values())
    second.restore_state(exported)
    assert ids + [second.update(tokens).tolist() for tokens in frames[stop:]] == expected


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(UserError):
        TrackerSettings(memory_frames=0)
