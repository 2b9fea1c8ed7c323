# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands that are seen now and then: no jumps, at any frame rate; and a state that goes on elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from engine.landmarks.extremities.extremities import GROUP_OF, GROUPS, REPLACED
from engine.landmarks.extremities.fading import FadeSettings, FadeState, fade, nobody

SETTINGS = FadeSettings()
JOINTS, KINDS = len(REPLACED), len(GROUPS)
OWN = np.tile(np.eye(3), (1, JOINTS, 1, 1))


def turned(degrees: float) -> np.ndarray:
    """(1, 37, 3, 3) all joints turned by so much about the same axis."""
    return np.tile(axis_angle_to_matrix(np.array([0.0, 0.0, np.radians(degrees)])), (1, JOINTS, 1, 1))


def played(seen: list[bool], step_s: float, degrees: float = 60.0, settings: FadeSettings = SETTINGS) -> np.ndarray:
    """(frames,) degrees shown of a joint that is seen at an angle in some frames, and is at zero on its own."""
    state, shown = nobody(), []
    for frame, now in enumerate(seen):
        flags = np.full((1, KINDS), now)
        state, rotations = fade(state, np.array([7]), frame * step_s, flags, turned(degrees), OWN, settings)
        shown.append(np.degrees(matrix_to_axis_angle(rotations[0, 3])[2]))
    return np.array(shown)


def test_what_is_seen_from_the_first_frame_is_shown_at_once() -> None:
    np.testing.assert_allclose(played([True] * 5, 1 / 30), 60, atol=1e-9)
    np.testing.assert_allclose(played([False] * 5, 1 / 30), 0, atol=1e-9)


@pytest.mark.parametrize("rate", [10, 15, 30, 60])
def test_lost_it_is_held_and_then_goes_back_to_the_bodys_own(rate: int) -> None:
    times = np.arange(rate) / rate
    shown = played([True] + [False] * (rate - 1), 1 / rate)
    np.testing.assert_allclose(shown[times <= SETTINGS.hold_s - 1e-9], 60, atol=1e-9)
    np.testing.assert_allclose(shown[times >= SETTINGS.hold_s + SETTINGS.out_s + 1 / rate], 0, atol=1e-6)
    assert (np.diff(shown) <= 1e-9).all()


@pytest.mark.parametrize("rate", [15, 30, 60])
def test_nothing_jumps(rate: int) -> None:
    """Steps stay under what the steepest place of a fade allows: 1.5 times the distance over its length."""
    pattern = [False] * rate + [True] * rate + [False] * (rate // 3) + [True] * 2 + [False] * rate + [True] * rate
    steps = np.abs(np.diff(played(pattern, 1 / rate)))
    assert steps.max() <= 1.5 * 60 / (SETTINGS.in_s * rate) + 1e-6
    assert steps.max() < 60


def test_found_again_it_is_reached_within_the_fade() -> None:
    shown = played([False] * 3 + [True] * 12, 1 / 60)
    assert 0 < shown[3] < 10
    np.testing.assert_allclose(shown[3 + 9 :], 60, atol=1e-6)  # 0.15 s are 9 frames


def test_a_short_loss_changes_nothing() -> None:
    np.testing.assert_allclose(played([True] * 5 + [False] * 2 + [True] * 5, 1 / 30), 60, atol=1e-9)


def test_a_flickering_hand_stays_between_its_two_poses() -> None:
    rng = np.random.default_rng(0)
    shown = played(list(rng.random(300) < 0.15), 1 / 30)
    assert shown.min() > -1e-6 and shown.max() < 60 + 1e-6
    assert np.abs(np.diff(shown)).max() < 25


def test_groups_fade_for_themselves() -> None:
    state, flags = nobody(), np.ones((1, KINDS), bool)
    state, _ = fade(state, np.array([7]), 0.0, flags, turned(60), OWN, SETTINGS)
    flags[0, 1] = False
    _, shown = fade(state, np.array([7]), 0.45, flags, turned(60), OWN, SETTINGS)
    angle = np.degrees(matrix_to_axis_angle(shown[0])[:, 2])
    assert (angle[GROUP_OF == 1] < 50).all()
    np.testing.assert_allclose(angle[GROUP_OF != 1], 60, atol=1e-6)


def test_noise_is_smoothed_and_turns_are_followed() -> None:
    rng = np.random.default_rng(1)
    noisy, shown, state = 3 * rng.normal(size=60), [], nobody()
    ramp = np.clip(np.arange(60) - 30, 0, 15) * 6.0  # 90 degrees in a second
    for frame in range(60):
        flags = np.ones((1, KINDS), bool)
        angle = float(noisy[frame] + ramp[frame])
        state, rotations = fade(state, np.array([7]), frame / 15, flags, turned(angle), OWN, SETTINGS)
        shown.append(np.degrees(matrix_to_axis_angle(rotations[0, 3])[2]))
    calm = np.array(shown)[5:30]
    assert np.abs(np.diff(calm, 2)).mean() < 0.6 * np.abs(np.diff(noisy[5:30], 2)).mean()
    assert np.abs(np.array(shown)[31:45] - ramp[31:45]).max() < 18


def test_people_are_told_apart_and_come_back_in_any_order() -> None:
    seen, state = np.ones((2, KINDS), bool), nobody()
    rotations, own = np.concatenate([turned(60), turned(-30)]), np.concatenate([OWN, OWN])
    state, _ = fade(state, np.array([3, 9]), 0.0, seen, rotations, own, SETTINGS)
    state, _ = fade(state, np.array([9]), 0.1, ~seen[:1], OWN, OWN, SETTINGS)
    _, shown = fade(state, np.array([9, 3]), 0.15, ~seen, own, own, SETTINGS)
    angle = np.degrees(matrix_to_axis_angle(shown[:, 3])[:, 2])
    np.testing.assert_allclose(angle, [-30, 60], atol=1e-9)


def test_who_was_away_for_long_starts_anew() -> None:
    state, flags = nobody(), np.ones((1, KINDS), bool)
    state, _ = fade(state, np.array([7]), 0.0, flags, turned(60), OWN, SETTINGS)
    state, _ = fade(state, np.zeros(0, np.int64), 2.0, flags[:0], OWN[:0], OWN[:0], SETTINGS)
    assert len(state) == 0
    _, shown = fade(state, np.array([7]), 2.1, ~flags, OWN, OWN, SETTINGS)
    np.testing.assert_allclose(shown, OWN, atol=1e-9)


def test_earlier_states_are_left_alone_and_go_on_the_same_elsewhere() -> None:
    rng, state = np.random.default_rng(2), nobody()
    for frame in range(8):
        flags = rng.random((1, KINDS)) < 0.5
        state, _ = fade(state, np.array([7]), frame / 15, flags, turned(50 + frame), OWN, SETTINGS)
    kept = state.export()
    again = FadeState.of_arrays(kept)
    results = []
    for start in (state, again):
        flags = np.array([[True, False, True, False, True]])
        results.append(fade(start, np.array([7]), 0.6, flags, turned(10), OWN, SETTINGS)[1])
    np.testing.assert_array_equal(results[0], results[1])
    for name, array in state.export().items():
        np.testing.assert_array_equal(array, kept[name])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("shown", lambda a: a * 2),
        ("source", lambda a: a + 7),
        ("seen_s", lambda a: a * np.nan),
        ("offset", lambda a: a[..., :2]),
        ("track_id", lambda a: a.astype(np.int32)),
    ],
)
def test_damaged_states_are_refused(name: str, change: object) -> None:
    flags = np.ones((1, KINDS), bool)
    state, _ = fade(nobody(), np.array([7]), 0.0, flags, turned(60), OWN, SETTINGS)
    arrays = state.export()
    arrays[name] = change(arrays[name])  # type: ignore[operator]
    with pytest.raises(UserError) as refused:
        FadeState.of_arrays(arrays)
    assert refused.value.code == "resume-unreadable"
