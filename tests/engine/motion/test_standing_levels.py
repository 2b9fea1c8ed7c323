# SPDX-License-Identifier: GPL-3.0-or-later
"""Which feet are on the lowest level that people stand on."""

from __future__ import annotations

import numpy as np
import pytest

from engine.motion.standing_levels import on_lowest_level


@pytest.mark.parametrize("low", [20, 60, 180])
def test_of_two_levels_the_lower_one_is_taken(low: int) -> None:
    dice = np.random.default_rng(0)
    level = np.repeat([0.0, 1.9], [low, 200 - low])
    chosen = on_lowest_level(level + 0.05 * dice.normal(size=200), 0.1)
    assert not chosen[low:].any() and chosen[:low].mean() > 0.9


def test_feet_in_the_air_and_single_low_ones_are_on_no_level() -> None:
    dice = np.random.default_rng(1)
    heights = np.concatenate([0.03 * dice.normal(size=80), dice.uniform(0.5, 2.0, 20), [-3.0, -1.2, -0.9, -0.6]])
    chosen = on_lowest_level(heights, 0.1)
    assert chosen[:80].all() and not chosen[80:].any()


def test_noise_on_one_level_stays_one_level() -> None:
    dice = np.random.default_rng(2)
    for _ in range(20):
        heights = 0.15 * dice.normal(size=60)
        assert abs(np.median(heights[on_lowest_level(heights, 0.1)])) < 0.12


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_very_few_feet_are_enough(count: int) -> None:
    assert on_lowest_level(np.zeros(count), 0.1).tolist() == [True] * count


def test_heights_far_apart_cost_no_memory() -> None:
    assert on_lowest_level(np.array([0.0, 0.01, 0.02, 0.0, 1e9]), 0.1).shape == (5,)
