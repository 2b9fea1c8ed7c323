# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison tells what is off: the rate, a joint, the surface, who is who, who is missing."""

import numpy as np
import pytest

from .looks import Seen, Truth, deviation, joint_of


@pytest.fixture
def truth():
    rng = np.random.default_rng(0)
    return Truth(
        np.arange(5) / 23.976, rng.normal(size=(3, 5, 55, 3)), np.array([0, 4]), rng.normal(size=(3, 2, 200, 3))
    )


def seen(truth, order=(2, 0, 1)):
    order = list(order)
    return Seen(truth.times.copy(), truth.joints[order].copy(), [truth.vertices[who].copy() for who in order])


def test_nothing_is_off_in_another_order(truth):
    found = deviation(truth, seen(truth))
    assert (found.time_s, found.joints_m, found.surfaces_m) == (0.0, 0.0, 0.0)


def test_a_wrong_rate_and_a_frame_too_few(truth):
    wrong = seen(truth)
    wrong.key_times = wrong.key_times / 1.001**2
    assert deviation(truth, wrong).time_s > 1e-4
    wrong.key_times = truth.times[:-1]
    assert deviation(truth, wrong).time_s > 1e-2


def test_a_joint_and_a_surface_that_are_off(truth):
    wrong = seen(truth)
    wrong.joints[1, 3, 20] += [0.002, 0, 0]
    assert deviation(truth, wrong).joints_m == pytest.approx(0.002)
    wrong = seen(truth)
    wrong.surfaces[2][1] += [0.0, 0.0, 0.01]
    assert deviation(truth, wrong).surfaces_m > 0.005


@pytest.mark.parametrize("order", [(0, 1), (0, 0, 1)])
def test_who_is_missing_or_there_twice(truth, order):
    with pytest.raises(AssertionError, match="people"):
        deviation(truth, seen(truth, order))


def test_names_of_joints():
    assert joint_of("Person_01_left_knee") == joint_of("Anna:left_knee") == joint_of("left_knee") == 4
    assert joint_of("root") is None and joint_of("Person_01") is None
