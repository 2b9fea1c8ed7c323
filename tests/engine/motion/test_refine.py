# SPDX-License-Identifier: GPL-3.0-or-later
"""Refinement takes away what contacts and gravity contradict, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contract.rotations import axis_angle_to_quaternion
from engine.contract.skeleton import LEFT_HIP, LEFT_KNEE, PELVIS, RIGHT_HIP, RIGHT_KNEE
from engine.motion.block_band import BandedSquares
from engine.motion.body_contacts import BODY_JOINTS, find_body_contacts
from engine.motion.body_motion import BodyMotion
from engine.motion.clean_up import CleanUpSettings, clean_up
from engine.motion.refine import refine

from . import jumper, people

CAMERA = np.array([0.0, -1.5, -5.0])


def _camera(motion: BodyMotion) -> np.ndarray:
    return np.tile(CAMERA, (len(motion), 1))


def _swimming(motion: BodyMotion, seed: int, share: float = 0.04) -> BodyMotion:
    """The motion with a distance to the camera that wanders by shares of itself, as a network sees it."""
    random = np.random.default_rng(seed)
    knots = np.arange(motion.time_s[0], motion.time_s[-1] + 0.7, 0.3)
    factor = 1 + np.interp(motion.time_s, knots, share * random.normal(size=len(knots)))
    return _moved(motion, (motion.pelvis - CAMERA) * (factor - 1)[:, None])


def _moved(motion: BodyMotion, by: np.ndarray) -> BodyMotion:
    return BodyMotion.make(motion.time_s, motion.rotations, motion.pelvis + by, motion.rest_joints)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 31])
def test_sums_of_squares_are_solved_as_a_full_matrix_is(count: int) -> None:
    random, squares = np.random.default_rng(count), BandedSquares(count)
    full, right = np.zeros((3 * count, 3 * count)), np.zeros(3 * count)
    for width in range(1, min(count, 3) + 1):
        first = np.arange(count - width + 1)
        factors, wanted = random.normal(size=(len(first), width)), random.normal(size=(len(first), 3))
        weight = random.normal(size=(len(first), 3, 3))
        weight = weight @ weight.swapaxes(-1, -2) + 0.1 * np.eye(3)
        squares.add(first, factors, weight, wanted)
        for row, start in enumerate(first):
            rows = np.zeros((3, 3 * count))
            rows[:, 3 * start : 3 * (start + width)] = np.kron(factors[row], np.eye(3))
            full += rows.T @ weight[row] @ rows
            right += rows.T @ weight[row] @ wanted[row]
    assert np.allclose(squares.solve().ravel(), np.linalg.solve(full, right), atol=1e-10)


def test_swimming_in_depth_goes() -> None:
    truths = people.walkers()
    seen = [_swimming(motion, seed) for seed, motion in enumerate(truths)]
    after = [refine(motion, _camera(motion), people.UP).motion for motion in seen]
    raw, refined = people.mean_figures(seen, truths), people.mean_figures(after, truths)
    assert refined["sliding"] < 0.35 * raw["sliding"]
    assert refined["jitter"] < 0.3 * raw["jitter"]
    assert refined["wa_mpjpe"] < 0.9 * raw["wa_mpjpe"]
    assert refined["mpjpe"] == pytest.approx(raw["mpjpe"], rel=1e-6)


@pytest.mark.parametrize("distance_m", [5.0, 12.0, 25.0])
def test_people_stay_where_they_are_seen_however_far_away(distance_m: float) -> None:
    """To be farther is to be smaller, and no reason to be moved in the picture by more of one's height."""
    motion = people.walkers()[1]
    camera = np.tile(motion.pelvis.mean(axis=0) - distance_m * np.array([0.0, 0.0, 1.0]), (len(motion), 1))
    shift = np.cumsum(np.random.default_rng(3).normal(size=(len(motion), 3)) * (0.004, 0.002, 0.008), axis=0)
    seen = people.noisy(_moved(motion, shift), 3)
    moved = refine(seen, camera, people.UP).displacement
    ray = (seen.pelvis - camera) / np.linalg.norm(seen.pelvis - camera, axis=-1, keepdims=True)
    across = np.linalg.norm(moved - (moved * ray).sum(axis=-1, keepdims=True) * ray, axis=-1)
    assert np.mean(across) < 0.01


def test_clean_up_with_a_camera_is_nearer_to_the_truth_than_without() -> None:
    truths = people.walkers()
    seen = [people.noisy(_swimming(motion, seed), seed) for seed, motion in enumerate(truths)]
    without = people.mean_figures([clean_up(motion, people.UP).motion for motion in seen], truths)
    with_it = people.mean_figures(
        [clean_up(motion, people.UP, camera=_camera(motion)).motion for motion in seen], truths
    )
    for name in ("sliding", "jitter", "w_mpjpe", "wa_mpjpe", "world"):
        assert with_it[name] < 1.02 * without[name], name
    assert with_it["wa_mpjpe"] < 0.9 * without["wa_mpjpe"]
    off = clean_up(seen[0], people.UP, CleanUpSettings(refine=False), _camera(seen[0]))
    assert np.array_equal(off.motion.pelvis, clean_up(seen[0], people.UP).motion.pelvis)


def test_a_true_motion_stays() -> None:
    moved = [np.linalg.norm(refine(m, _camera(m), people.UP).displacement, axis=-1) for m in people.walkers()]
    assert np.mean(moved) < 0.005 and np.max(moved) < 0.05


def test_nobody_who_stands_nothing_that_moves() -> None:
    """Somebody who hangs on a wire and is swung about: no contact tells anything."""
    motion = people.walkers()[0]
    swing = np.stack([np.sin(1.5 * motion.time_s), 0.2 * np.cos(2 * motion.time_s), np.sin(motion.time_s)], axis=-1)
    flying = _moved(motion, 2 * swing - 5 * people.UP)
    moved = refine(flying, _camera(flying), people.UP, find=lambda motion: np.zeros((len(motion), 4), bool))
    assert np.linalg.norm(moved.displacement, axis=-1).max() < 0.02


@pytest.mark.parametrize("rate", [24.0, 30.0, 60.0])
@pytest.mark.parametrize("height_m", [0.2, 0.4, 0.6])
def test_jumps_keep_their_height(rate: float, height_m: float) -> None:
    truth = jumper.jumper(rate, height_m)
    wanted = np.array(jumper.heights(truth, height_m))
    cleaned = clean_up(truth, jumper.UP, camera=jumper.camera(truth)).motion
    assert jumper.heights(cleaned, height_m) == pytest.approx(wanted, rel=0.15)
    noisy = [people.noisy(truth, seed) for seed in range(6)]
    found = [
        jumper.heights(clean_up(motion, jumper.UP, camera=jumper.camera(motion)).motion, height_m) for motion in noisy
    ]
    assert np.mean(found) == pytest.approx(np.mean(wanted), rel=0.15)


def test_flights_fall_as_everything_does() -> None:
    truth = jumper.jumper(30.0, 0.6)
    found = refine(truth, jumper.camera(truth), jumper.UP)
    in_air = np.zeros(len(truth), bool)
    for start in jumper.TAKE_OFF_S:
        in_air |= (truth.time_s > start) & (truth.time_s < start + jumper.air_s(0.6))
    assert found.flights.sum() > 0.4 * in_air.sum() and (found.flights & ~in_air).sum() <= 0.1 * in_air.sum()


def test_a_wrong_contact_does_not_hold_anybody() -> None:
    truth = people.walkers()[1]
    always = refine(truth, _camera(truth), people.UP, find=lambda motion: np.ones((len(motion), 4), bool))
    path = np.linalg.norm(truth.pelvis[-1] - truth.pelvis[0])
    kept = np.linalg.norm(always.motion.pelvis[-1] - always.motion.pelvis[0])
    assert kept == pytest.approx(path, abs=0.1)


def _posed(turns: dict[int, float]) -> BodyMotion:
    """Two seconds in one pose: joints turned about their own x axis, in radians; y is up."""
    rest, time_s = people.body().rest_joints(np.zeros(10)), np.arange(60) / 30
    rotations = np.zeros((60, 55, 4))
    rotations[..., 0] = 1
    for joint, angle in turns.items():
        rotations[:, joint] = axis_angle_to_quaternion(np.array([angle, 0.0, 0.0]))
    return BodyMotion.make(time_s, rotations, np.tile(rest[PELVIS], (60, 1)), rest)


@pytest.mark.parametrize(
    ("turns", "rests"),
    [
        ({}, ()),
        ({LEFT_HIP: -1.5, RIGHT_HIP: -1.5, LEFT_KNEE: 1.5, RIGHT_KNEE: 1.5}, (PELVIS,)),  # sits on a chair
        ({LEFT_KNEE: 1.5, RIGHT_KNEE: 1.5}, (LEFT_KNEE, RIGHT_KNEE, PELVIS)),  # kneels upright
        ({PELVIS: -1.5}, BODY_JOINTS),  # lies on the back
    ],
)
def test_what_rests_is_what_is_low(turns: dict[int, float], rests: tuple[int, ...]) -> None:
    found = find_body_contacts(_posed(turns), jumper.UP)
    assert (found == [joint in rests for joint in BODY_JOINTS]).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_short_motions_and_gaps_stay_whole(count: int) -> None:
    motion = people.noisy(people.walkers()[0], 1).part(slice(0, count))
    found = refine(motion, _camera(motion), people.UP)
    assert np.isfinite(found.displacement).all() and found.displacement.shape == (count, 3)


def test_what_is_after_a_gap_knows_nothing_of_what_was_before() -> None:
    motion = _swimming(people.walkers()[0], 1)
    later = BodyMotion(motion.time_s + 30, motion.rotations, motion.pelvis + 5, motion.rest_joints)
    both = BodyMotion.make(
        np.concatenate([motion.time_s, later.time_s]),
        np.concatenate([motion.rotations, later.rotations]),
        np.concatenate([motion.pelvis, later.pelvis]),
        motion.rest_joints,
    )
    camera = np.concatenate([_camera(motion), _camera(motion) + 5])
    alone = refine(motion, _camera(motion), people.UP).displacement
    found = refine(both, camera, people.UP).displacement
    assert np.allclose(found[: len(motion)], alone, atol=1e-6) and np.allclose(found[len(motion) :], alone, atol=1e-6)
