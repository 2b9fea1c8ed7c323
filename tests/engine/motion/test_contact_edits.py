# SPDX-License-Identifier: GPL-3.0-or-later
"""Contacts that are made by hand are kept, whatever is found."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.contract.rotations import axis_angle_to_quaternion, quaternion_multiply
from engine.contract.skeleton import LEFT_ELBOW, LEFT_FOOT, LEFT_KNEE, LEFT_SHOULDER, LEFT_WRIST
from engine.motion.body_motion import BodyMotion
from engine.motion.clean_up import CleanUpSettings, clean_up
from engine.motion.contact_edits import ContactEdit
from engine.motion.refine import refine

from . import people

ONLY_HANDS = CleanUpSettings(0.0, lock_feet=False, refine=False)


def _hovering() -> BodyMotion:
    """Four seconds with bent arms in front, whose joints tremble by degrees."""
    motion = people.clapper(30.0)
    turns = np.deg2rad(2.0) * np.random.default_rng(1).normal(size=(len(motion), 55, 3))
    turns[:, LEFT_ELBOW, 1] -= np.deg2rad(60)
    rotations = quaternion_multiply(motion.rotations, axis_angle_to_quaternion(turns))
    return BodyMotion.make(motion.time_s, rotations, motion.pelvis, motion.rest_joints)


def _spread(points: np.ndarray) -> float:
    return float(np.linalg.norm(points - points.mean(axis=0), axis=-1).max())


def _during(motion: BodyMotion, first_s: float, last_s: float) -> np.ndarray:
    return (motion.time_s >= first_s - 1e-6) & (motion.time_s <= last_s + 1e-6)


def _bend(motion: BodyMotion) -> np.ndarray:
    joints = motion.joints()
    upper = joints[:, LEFT_ELBOW] - joints[:, LEFT_SHOULDER]
    return np.cross(upper, joints[:, LEFT_WRIST] - joints[:, LEFT_ELBOW])


@pytest.mark.parametrize("times", [(0.2, 0.9), (3.2, 3.8)])
def test_a_marked_hand_stays_and_nothing_else_changes(times: tuple[float, float]) -> None:
    motion = _hovering()
    after = clean_up(motion, people.UP, ONLY_HANDS, edits=(ContactEdit("left_hand", *times, True),)).motion
    marked = _during(motion, *times)
    assert _spread(motion.joints()[marked, LEFT_WRIST]) > 0.005
    assert _spread(after.joints()[marked, LEFT_WRIST]) < 0.001
    assert ((_bend(after) * _bend(motion)).sum(axis=-1) > 0).all()
    outside = ~_during(motion, times[0] - 0.36, times[1] + 0.36)
    assert outside.any() and np.array_equal(after.rotations[outside], motion.rotations[outside])
    others = [joint for joint in range(55) if joint not in (LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST)]
    assert np.array_equal(after.rotations[:, others], motion.rotations[:, others])


def test_what_is_said_last_counts() -> None:
    edits = (ContactEdit("right_hand", 0, 2, True), ContactEdit("right_hand", 1, 2, False))
    hands = clean_up(_hovering(), people.UP, ONLY_HANDS, edits=edits).hands
    assert hands[:30, 1].all() and not hands[30:, 1].any() and not hands[:, 0].any()


def _standing() -> BodyMotion:
    """Somebody who stands, and is seen to drift sideways at 10 cm/s."""
    motion = people.clapper(30.0)
    drift = np.outer(motion.time_s, [0.1, 0.0, 0.0])
    return BodyMotion.make(motion.time_s, motion.rotations, motion.pelvis + drift, motion.rest_joints)


def test_a_foot_that_is_freed_moves_and_a_moved_contact_is_held_elsewhere() -> None:
    motion, settings = _standing(), CleanUpSettings(0.0, refine=False)
    free = (ContactEdit("left_foot", 0, 4, False),)
    moved = (*free, ContactEdit("left_foot", 1.0, 1.4, True))
    later = (*free, ContactEdit("left_foot", 2.5, 2.9, True))
    first, second = _during(motion, 1.0, 1.4), _during(motion, 2.5, 2.9)
    assert not clean_up(motion, -people.UP, settings, edits=free).planted[:, [0, 2]].any()
    for edits, still, slides in ((moved, first, second), (later, second, first)):
        ball = clean_up(motion, -people.UP, settings, edits=edits).motion.joints()[:, LEFT_FOOT]
        assert _spread(ball[still]) < 0.001 < 0.005 < _spread(ball[slides])


def test_legs_that_nothing_is_asked_of_stay_as_they_are() -> None:
    """Even straight ones, which a solved leg never quite is."""
    motion = _standing()
    straight = motion.rotations.copy()
    straight[:, [LEFT_KNEE, LEFT_KNEE + 1]] = (1.0, 0.0, 0.0, 0.0)
    motion = BodyMotion.make(motion.time_s, straight, motion.pelvis, motion.rest_joints)
    edits = tuple(ContactEdit(foot, 0, 4, False) for foot in ("left_foot", "right_foot"))
    edits = (*edits, ContactEdit("left_foot", 3.0, 4.0, True))
    after = clean_up(motion, -people.UP, CleanUpSettings(0.0, refine=False), edits=edits).motion
    before = _during(motion, 0.0, 1.5)
    assert np.array_equal(after.rotations[before], motion.rotations[before])
    assert not np.array_equal(after.rotations, motion.rotations)


def test_refinement_believes_a_marked_hand_more_than_its_own_eyes() -> None:
    """A body that wanders fast in depth, high above any floor it could rest its hands on."""
    motion = people.clapper(30.0)
    depth = 0.15 * np.sin(2 * np.pi * motion.time_s / 1.5)
    seen = BodyMotion.make(
        motion.time_s, motion.rotations, motion.pelvis + np.outer(depth, [0, 0, 1.0]), motion.rest_joints
    )
    camera = np.tile([0.0, 0.0, 5.0], (len(motion), 1))

    def wander(*edits: ContactEdit) -> float:
        free = tuple(ContactEdit(foot, 0, 4, False) for foot in ("left_foot", "right_foot"))
        after = refine(seen, camera, -people.UP, edits=(*free, *edits)).motion
        return _spread(after.joints()[_during(seen, 0.0, 1.0), LEFT_WRIST])

    assert wander(ContactEdit("left_hand", 0, 1, True)) < 0.5 * wander()


@pytest.mark.parametrize("wrong", [("tail", 0, 1), ("left_foot", 2, 1), ("left_hand", float("nan"), 1)])
def test_nonsense_is_refused(wrong: tuple[str, float, float]) -> None:
    with pytest.raises(UserError, match="contact"):
        ContactEdit(*wrong, True)
