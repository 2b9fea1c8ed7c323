# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoothing of depth over time: what it must leave alone and what it must take away."""

from __future__ import annotations

import numpy as np
import pytest

from engine.landmarks.whole_clip.depth_smoothing import accelerations_of, noise_of, smooth_depth


@pytest.mark.parametrize("rate", [10.0, 30.0, 60.0])
def test_constant_speed_passes_unchanged(rate: float) -> None:
    time_s = np.arange(90) / rate
    depth = 20 - 1.3 * time_s
    smooth, _ = smooth_depth(time_s, depth, noise_of(time_s, depth), np.ones(90), np.zeros(90))
    np.testing.assert_allclose(smooth, depth, atol=1e-4)


@pytest.mark.parametrize("rate", [10.0, 30.0])
def test_wobble_of_neighbouring_frames_is_taken_away_and_a_turn_stays(rate: float) -> None:
    dice = np.random.default_rng(2)
    time_s = np.arange(int(8 * rate)) / rate
    truth = 6 + 1.2 * np.sin(1.3 * time_s)
    alike = np.exp(-1 / rate / 0.1)
    wobble = np.zeros(len(time_s))
    for frame in range(1, len(time_s)):
        wobble[frame] = alike * wobble[frame - 1] + np.sqrt(1 - alike**2) * 0.05 * dice.normal()
    depth = truth * np.exp(wobble)
    sigma = noise_of(time_s, depth)
    smooth, told = smooth_depth(time_s, depth, sigma, np.full(len(time_s), 1.5), np.zeros(len(time_s)))
    before, after = (np.sqrt(((value - truth) ** 2).mean()) for value in (depth, smooth))
    assert after < 0.6 * before
    assert np.abs(np.diff(smooth, 2)).max() < 0.2 * np.abs(np.diff(depth, 2)).max()
    assert 0.4 < after / told.mean() < 2.0


def test_outliers_do_not_pull() -> None:
    time_s = np.arange(60) / 30
    depth = np.full(60, 4.0)
    depth[[20, 21, 59]] = 9.0
    smooth, _ = smooth_depth(time_s, depth, np.full(60, 0.1), np.ones(60), np.zeros(60))
    assert np.abs(smooth - 4).max() < 0.1


def test_a_known_acceleration_is_followed_where_no_other_is_allowed() -> None:
    dice = np.random.default_rng(4)
    time_s = np.arange(25) / 30
    truth = 5 + 2 * time_s - 0.5 * 4.0 * time_s**2
    depth = truth + 0.3 * dice.normal(size=25)
    smooth, _ = smooth_depth(time_s, depth, np.full(25, 0.3), np.full(25, 0.05), np.full(25, -4.0))
    assert np.polyfit(time_s, smooth, 2)[0] * 2 == pytest.approx(-4.0, abs=0.2)
    assert np.abs(smooth - truth).max() < 0.35


def test_who_moves_fast_sideways_may_do_so_in_depth() -> None:
    time_s = np.arange(90) / 30
    still = accelerations_of(time_s, np.zeros(90))
    shaken = accelerations_of(time_s, 0.3 * np.sin(2 * np.pi * time_s))
    np.testing.assert_array_equal(still, 1.0)
    assert np.median(shaken) > 4


def test_long_gaps_and_single_frames_are_borne() -> None:
    time_s = np.array([0.0, 0.1, 0.2, 2.0, 2.1])
    depth = np.array([4.0, 4.1, 4.0, 6.0, 6.1])
    smooth, sigma = smooth_depth(time_s, depth, noise_of(time_s, depth), np.ones(5), np.zeros(5))
    assert np.abs(smooth - depth).max() < 0.15
    assert np.isfinite(sigma).all()
    one, _ = smooth_depth(time_s[:1], depth[:1], noise_of(time_s[:1], depth[:1]), np.ones(1), np.zeros(1))
    assert one[0] == pytest.approx(4.0)
