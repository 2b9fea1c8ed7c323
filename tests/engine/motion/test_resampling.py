# SPDX-License-Identifier: GPL-3.0-or-later
"""Other frame rates, by time: known answers, round trips, and no drift over ten thousand frames."""

from fractions import Fraction

import numpy as np
import pytest

from engine.contract.rotations import axis_angle_to_quaternion
from engine.motion.body_motion import BodyMotion
from engine.motion.resampling import exact_rate, frame_count, frame_times, resample

from .people import body

RATES = {
    23.976: Fraction(24000, 1001),
    25.0: Fraction(25),
    29.97: Fraction(30000, 1001),
    50.0: Fraction(50),
    59.94: Fraction(60000, 1001),
}
CYCLES_PER_S = 0.5


def swinging(time_s: np.ndarray) -> BodyMotion:
    """Every joint swings, the pelvis goes to and fro and away: smooth and known at any time."""
    phase = 2 * np.pi * CYCLES_PER_S * time_s[:, None, None] + np.arange(55)[:, None]
    axes = np.random.default_rng(0).normal(size=(55, 3))
    axes /= np.linalg.norm(axes, axis=-1, keepdims=True)
    turns = 0.6 * np.sin(phase) * axes
    pelvis = np.stack([0.3 * np.sin(2 * np.pi * CYCLES_PER_S * time_s), np.zeros(len(time_s)), 0.1 * time_s], axis=-1)
    return BodyMotion.make(time_s, axis_angle_to_quaternion(turns), pelvis, body().rest_joints(np.zeros(10)))


@pytest.mark.parametrize("number", RATES)
def test_a_number_means_a_rate(number):
    assert exact_rate(number) == RATES[number]
    assert exact_rate(float(RATES[number])) == RATES[number]
    # as Blender stores it: frames per second and a base in single precision
    assert exact_rate(round(number) / float(np.float32(round(number) / float(RATES[number])))) == RATES[number]


def test_unusual_numbers_mean_themselves():
    assert exact_rate(12.5) == Fraction(25, 2) and exact_rate(1.0) == 1 and exact_rate(0.5) == Fraction(1, 2)
    assert exact_rate(23.98) == Fraction(24000, 1001) and exact_rate(119.88) == Fraction(120000, 1001)
    assert exact_rate(26.97) == Fraction(2697, 100)
    for bad in (0.0, -25.0, float("nan"), float("inf")):
        with pytest.raises(ValueError):
            exact_rate(bad)


@pytest.mark.parametrize("rate_in", RATES.values(), ids=str)
@pytest.mark.parametrize("rate_out", RATES.values(), ids=str)
def test_ten_thousand_frames_do_not_drift(rate_in, rate_out):
    """The last frames are where they were filmed, at the last moment as at the first."""
    count = 10_000
    times = frame_times(count, rate_in)
    assert Fraction(times[-1]) == pytest.approx(Fraction(count - 1) / rate_in, abs=1e-12)
    wanted = frame_count(Fraction(count - 1) / rate_in, rate_out)
    out = frame_times(wanted, rate_out)
    assert times[-1] - 1 / rate_out < out[-1] <= times[-1] + 1e-9
    near = slice(-40, None)
    part = resample(swinging(times[-200:]), out[near])
    error = np.linalg.norm(part.joints() - swinging(out[near]).joints(), axis=-1)
    assert error.max() < 0.001
    assert np.array_equal(part.time_s, out[near])


def test_own_times_give_the_motion_itself():
    motion = swinging(frame_times(50, Fraction(30)))
    again = resample(motion, motion.time_s)
    assert np.abs(again.joints() - motion.joints()).max() < 1e-12
    assert np.array_equal(again.rotations[0], motion.rotations[0])


def test_there_and_back_again():
    motion = swinging(frame_times(120, Fraction(50)))
    there = resample(motion, frame_times(frame_count(motion.time_s[-1], exact_rate(59.94)), exact_rate(59.94)))
    back = resample(there, motion.time_s)
    inner = motion.time_s <= there.time_s[-1]
    assert np.linalg.norm(back.joints() - motion.joints(), axis=-1)[inner].max() < 0.001


def test_steady_motion_stays_steady():
    """Uneven steps of an even motion: the curve through them is the straight line that it was."""
    times = np.cumsum(np.random.default_rng(1).uniform(0.01, 0.07, 40))
    motion = swinging(times)
    steady = BodyMotion.make(
        times, motion.rotations * 0 + [1, 0, 0, 0], times[:, None] * [1.0, 2.0, 3.0], motion.rest_joints
    )
    asked = np.linspace(times[0], times[-1], 100)
    assert np.abs(resample(steady, asked).pelvis - asked[:, None] * [1.0, 2.0, 3.0]).max() < 1e-12


def test_outside_its_times_it_stands_still():
    motion = swinging(frame_times(10, Fraction(10)))
    held = resample(motion, np.array([-1.0, 0.0, 0.9, 5.0]))
    assert np.allclose(held.pelvis, motion.pelvis[[0, 0, 9, 9]])
    assert np.allclose(held.joints(), motion.joints()[[0, 0, 9, 9]])
    still = resample(motion.part(slice(3, 4)), np.array([0.0, 1.0]))
    assert np.allclose(still.joints(), motion.joints()[[3, 3]])
