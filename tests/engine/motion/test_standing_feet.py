# SPDX-License-Identifier: GPL-3.0-or-later
"""Which feet stand, for how long, and what a floor is told to rest on."""

from __future__ import annotations

import numpy as np
import pytest

from engine.motion.body_motion import BodyMotion
from engine.motion.contacts import CONTACT_JOINTS
from engine.motion.ground import Ground, with_evidence
from engine.motion.standing_feet import StandingFeet, find_standing_feet

from . import people

CAMERA = np.eye(4)[None]
RATE = 30.0


def standing(lift_m: float = 0.0, seconds: float = 2.0, wander_m_per_s: float = 0.0) -> BodyMotion:
    """Somebody at rest, so much above the floor at height 0, who may be drawn along it."""
    time_s = np.arange(0, seconds, 1 / RATE)
    rest = people.body().rest_joints(np.zeros(10))
    turn = np.zeros((len(time_s), 55, 4))
    turn[..., 0] = 1.0
    turn[:, 0] = (0.0, 1.0, 0.0, 0.0)  # half a turn about x: the world has y down
    motion = BodyMotion.make(time_s, turn, np.zeros((len(time_s), 3)), rest)
    soles = motion.joints()[:, list(CONTACT_JOINTS[2:])] @ people.UP - 0.02
    shift = np.outer(np.full(len(time_s), lift_m - soles.min()), people.UP)
    shift[:, 0] += wander_m_per_s * time_s
    return BodyMotion.make(time_s, motion.rotations, shift, rest)


def evidence(feet: StandingFeet, points: np.ndarray | None = None, joints: np.ndarray | None = None):
    points = np.zeros((0, 3)) if points is None else points
    joints = np.zeros((0, 55, 3)) if joints is None else joints
    return with_evidence(Ground(people.UP, 0.0, "feet"), points, CAMERA, joints, feet).evidence


def test_who_stands_is_counted_once_with_his_seconds():
    feet = find_standing_feet([standing(), standing(seconds=4.0)], people.UP)
    found = evidence(feet)
    assert (found.people, found.steps) == (2, 4)
    assert found.standing_s == pytest.approx(6.0, abs=0.1)
    assert found.sole_spread_m < 0.005


def test_low_feet_that_slide_do_not_stand():
    """Soles at the floor's height alone are no evidence: somebody on wheels goes by at 3 m/s."""
    found = evidence(find_standing_feet([standing(wander_m_per_s=3.0)], people.UP))
    assert (found.people, found.standing_s, found.steps, found.sole_spread_m) == (0, 0.0, 0, 0.0)


def test_who_stands_on_a_table_says_nothing_of_the_floor():
    found = evidence(find_standing_feet([standing(), standing(lift_m=0.7)], people.UP))
    assert found.people == 1 and found.standing_s == pytest.approx(2.0, abs=0.1)


def test_noise_of_three_centimetres_shows_as_such():
    random = np.random.default_rng(3)
    motions = [standing(lift_m=float(lift)) for lift in 0.03 * random.normal(size=60)]
    found = evidence(find_standing_feet(motions, people.UP))
    assert found.people == 60 and found.sole_spread_m == pytest.approx(0.03, rel=0.3)


def test_upright_bodies_and_points_are_counted_exactly():
    lean = np.deg2rad(8)
    joints = standing().joints()[:5]
    turn = np.array([[np.cos(lean), -np.sin(lean), 0], [np.sin(lean), np.cos(lean), 0], [0, 0, 1.0]])
    points = np.array([[0, 0.0, 3], [1, 0.04, 3], [2, -0.04, 3], [0, 0.06, 3], [0, -2.0, 3]])
    upright = evidence(find_standing_feet([], people.UP), points, joints)
    leaning = evidence(find_standing_feet([], people.UP), points, joints @ turn.T)
    assert (upright.upright, upright.points, upright.people) == (5, 3, 0)
    assert leaning.upright == 5 and abs(leaning.lean_deg - upright.lean_deg) == pytest.approx(8, abs=3)


@pytest.mark.parametrize("motions", [[], [standing().part(slice(0, 1))], [standing().part(slice(0, 2))]])
def test_too_little_is_no_evidence(motions):
    feet = find_standing_feet(motions, people.UP)
    assert feet.place.shape == (0, 3) and evidence(feet).people == 0


def test_walkers_put_their_feet_down_where_the_floor_is():
    feet = find_standing_feet(people.walkers(), people.UP)
    assert len(feet.place) > 12
    assert np.abs(np.median(feet.place @ people.UP)) < 0.03
