# SPDX-License-Identifier: GPL-3.0-or-later
"""Flights: a thrown body's centre of mass is found and falls rightly; walking, standing and crouching are none."""

from __future__ import annotations

import numpy as np
import pytest

from engine.motion.flights import Sight, centre_of_mass, find_flights, sight_of

DOWN = np.array((0.0, 1.0, 0.0))


def sight(path: np.ndarray) -> Sight:
    return sight_of(path, DOWN)


def thrown(rate: float, seconds: float, noise: float, size: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Times and path: a second of standing, a flight of so many seconds, a second of standing; y is down."""
    dice = np.random.default_rng(5)
    time_s = np.arange(0, 2 + seconds, 1 / rate)
    air = (time_s - 1).clip(0, seconds)
    path = np.stack([1.5 * air, -9.81 / 2 * air * (seconds - air), np.full(len(time_s), 6.0)], axis=-1) * size
    return time_s, path + noise * dice.normal(size=path.shape) * (1, 1, 5)


@pytest.mark.parametrize("rate", [15.0, 30.0, 60.0])
@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("size", [0.9, 1.0, 1.1])
def test_a_thrown_body_is_found_with_its_gravity(rate: float, noise: float, size: float) -> None:
    time_s, path = thrown(rate, 0.75, noise, size)
    (flight,) = find_flights(time_s, path, sight(path))
    assert time_s[flight.first] == pytest.approx(1.0, abs=0.11)
    assert time_s[flight.last - 1] == pytest.approx(1.75, abs=0.11)
    assert abs(np.log(flight.gravity / (9.81 * size))) < 2 * flight.log_sigma
    assert flight.log_sigma < 0.1


def test_a_long_flight_tells_more_than_a_short_one() -> None:
    flights = []
    for seconds in (0.45, 0.9):
        time_s, path = thrown(30.0, seconds, 0.01)
        flights += find_flights(time_s, path, sight(path))
    short, long = flights
    assert long.log_sigma < 0.6 * short.log_sigma


def test_walking_crouching_and_swaying_are_no_flights() -> None:
    time_s = np.arange(0, 5, 1 / 30)
    walk = np.stack([1.4 * time_s, 0.025 * np.cos(2 * np.pi * 1.9 * time_s), np.full(len(time_s), 5.0)], axis=-1)
    crouch = np.stack([0 * time_s, 0.25 * np.sin(2 * np.pi * 0.6 * time_s), np.full(len(time_s), 5.0)], axis=-1)
    sway = np.stack([0.3 * np.sin(5 * time_s), 0 * time_s, np.full(len(time_s), 5.0)], axis=-1)
    for path in (walk, crouch, sway):
        assert find_flights(time_s, path, sight(path)) == []


def test_few_frames_are_no_flight() -> None:
    for count in range(6):
        time_s = np.arange(count) / 30
        path = np.tile((0.0, 0.0, 4.0), (count, 1))
        assert find_flights(time_s, path, sight(path)) == []


def test_the_centre_of_mass_moves_with_the_body_and_lies_at_its_hips_when_it_stands() -> None:
    joints = np.zeros((2, 55, 3))
    joints[:, :22] = np.array([0.0, 0.0, 4.0])
    np.testing.assert_allclose(centre_of_mass(joints), [[0, 0, 4.0]] * 2)
    np.testing.assert_allclose(centre_of_mass(joints + np.array((1, 2, 3))), [[1, 2, 7.0]] * 2)
