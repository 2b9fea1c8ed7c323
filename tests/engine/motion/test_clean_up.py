# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean-up does what animators ask for: less sliding, less jitter, nothing farther from the truth, claps kept."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.contract.rotations import axis_angle_to_quaternion, quaternion_to_axis_angle
from engine.contract.skeleton import LEFT_ANKLE, LEFT_HIP, LEFT_KNEE, LEFT_SHOULDER, PELVIS
from engine.motion.body_motion import BodyMotion
from engine.motion.causal import CausalSmoother
from engine.motion.clean_up import CleanUpSettings, clean_up
from engine.motion.contacts import CONTACT_JOINTS, ContactSettings, find_contacts
from engine.motion.foot_locking import lock_feet
from engine.motion.limb_solver import LEG, solve_limbs
from engine.motion.local_fit import LocalFit
from engine.motion.smoothing import LIMBS, smooth, white_noise

from . import people


@pytest.fixture(scope="module", params=[people.noisy, people.noisy_from_head])
def measured(request) -> tuple[list[BodyMotion], list[BodyMotion]]:
    """Noisy walkers and the same cleaned up."""
    noisy = [request.param(motion, seed) for seed, motion in enumerate(people.walkers())]
    return noisy, [clean_up(motion, people.UP).motion for motion in noisy]


def test_noise_goes_and_truth_does_not(measured) -> None:
    before, after = (people.mean_figures(motions, people.walkers()) for motions in measured)
    assert after["sliding"] < 0.2 * before["sliding"]
    assert after["jitter"] < 0.3 * before["jitter"]
    for name in ("mpjpe", "pa_mpjpe", "w_mpjpe", "wa_mpjpe", "world"):
        assert after[name] <= before[name], name


def test_a_true_motion_hardly_changes() -> None:
    cleaned = [clean_up(motion, people.UP).motion for motion in people.walkers()]
    change = people.mean_figures(cleaned, people.walkers())
    assert change["world"] < 3 and change["mpjpe"] < 2
    assert change["jitter"] < 1.2 * people.mean_figures(list(people.walkers()), people.walkers())["jitter"]


@pytest.mark.parametrize("rate", [24.0, 25.0, 30.0, 50.0, 60.0])
@pytest.mark.parametrize("strength", [0.5, 0.75, 1.0])
def test_a_clap_keeps_its_reach(rate: float, strength: float) -> None:
    clap = people.clapper(rate)
    noisy = [people.noisy(clap, seed) for seed in range(4)]
    cleaned = [clean_up(motion, people.UP, CleanUpSettings(strength)).motion for motion in noisy]
    kept = [people.clap_reach(after) / people.clap_reach(before) for after, before in zip(cleaned, noisy, strict=True)]
    assert np.mean(kept) > 0.95
    # Before the clap the arms are at rest, and there the noise goes.
    rest = slice(0, int(0.8 * rate))
    noise = people.figures(noisy[0].part(rest), clap.part(rest))["jitter"]
    assert people.figures(cleaned[0].part(rest), clap.part(rest))["jitter"] < 0.3 * noise


def test_strength_zero_without_locking_is_the_same_motion() -> None:
    motion = people.noisy(people.walkers()[0], 1)
    same = clean_up(motion, people.UP, CleanUpSettings(0.0, lock_feet=False)).motion
    assert np.array_equal(same.rotations, motion.rotations) and np.array_equal(same.pelvis, motion.pelvis)
    with pytest.raises(UserError, match="strength"):
        CleanUpSettings(1.5)


def test_gaps_are_not_smoothed_across() -> None:
    motion = people.noisy(people.walkers()[0], 1)
    later = BodyMotion(motion.time_s + 30, motion.rotations, motion.pelvis + 5, motion.rest_joints)
    both = BodyMotion.make(
        np.concatenate([motion.time_s, later.time_s]),
        np.concatenate([motion.rotations, later.rotations]),
        np.concatenate([motion.pelvis, later.pelvis]),
        motion.rest_joints,
    )
    cleaned, alone = clean_up(both, people.UP).motion, clean_up(motion, people.UP).motion
    count = len(motion)
    assert np.allclose(cleaned.pelvis[:count], alone.pelvis, atol=1e-9)
    assert np.allclose(cleaned.pelvis[count:] - 5, alone.pelvis, atol=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_short_motions_stay_whole(count: int) -> None:
    motion = people.noisy(people.walkers()[0], 1).part(slice(0, count))
    cleaned = clean_up(motion, people.UP).motion
    assert len(cleaned) == count and np.isfinite(cleaned.rotations).all() and np.isfinite(cleaned.pelvis).all()


def test_contacts_of_noisy_walkers_are_mostly_those_of_the_truth(measured) -> None:
    found, wanted, wrong = 0, 0, 0
    for motion, truth in zip(measured[1], people.walkers(), strict=True):
        planted = find_contacts(motion, people.UP)
        speed = np.linalg.norm(np.gradient(truth.joints()[:, list(CONTACT_JOINTS)], truth.time_s, axis=0), axis=-1)
        stands, swings = speed < people.STILL_M_PER_S, speed > 0.5
        found, wanted, wrong = found + (planted & stands).sum(), wanted + stands.sum(), wrong + (planted & swings).sum()
    assert found > 0.75 * wanted and wrong < 0.1 * wanted


def test_a_contact_has_one_place() -> None:
    """Standing, a slow step of 20 cm, standing: with as much noise as lets the speed alone tell nothing."""
    random = np.random.default_rng(5)
    rest = people.body().rest_joints(np.zeros(10))
    time_s = np.arange(90) / 30
    share = np.clip((time_s - 1.2) / 0.6, 0, 1)
    pelvis = rest[PELVIS] + np.stack([0.2 * share, 0 * share, 0 * share], axis=-1)
    rotations = np.zeros((90, 55, 4))
    rotations[..., 0] = 1
    moved = BodyMotion.make(time_s, rotations, pelvis + 0.02 * random.normal(size=(90, 3)), rest)
    planted = find_contacts(moved, np.array([0.0, 1.0, 0.0]))
    assert planted[:30].all() and planted[62:88].all() and not planted[43:47].any()
    one = find_contacts(moved, np.array([0.0, 1.0, 0.0]), ContactSettings(place_m=10.0))
    assert one[43:47].all()  # what the speed alone says


def test_contacts_do_not_depend_on_the_frame_rate() -> None:
    slow, fast = people.walkers(6, 6.0, 30.0)[0], people.walkers(6, 6.0, 60.0)[0]
    assert (find_contacts(slow, people.UP) == find_contacts(fast, people.UP)[::2]).mean() > 0.97


def test_a_planted_foot_does_not_move() -> None:
    motion = smooth(people.noisy(people.walkers()[1], 2), 0.75)
    planted = find_contacts(motion, people.UP)
    locked = lock_feet(motion, planted).joints()
    for place, joint in enumerate(CONTACT_JOINTS):
        still = planted[1:, place] & planted[:-1, place]
        assert still.any()
        assert np.percentile(np.linalg.norm(np.diff(locked[:, joint], axis=0), axis=-1)[still], 95) < 1e-3


def test_legs_reach_what_is_in_reach_and_keep_their_bones() -> None:
    random = np.random.default_rng(0)
    motion = people.walkers()[0]
    transforms = motion.transforms()
    ankle = [LEFT_ANKLE, LEFT_ANKLE + 1]
    hips = transforms[..., :3, 3][:, [LEFT_HIP, LEFT_HIP + 1]]
    length = sum(
        np.linalg.norm(motion.rest_joints[a] - motion.rest_joints[b])
        for a, b in ((LEFT_KNEE, LEFT_HIP), (LEFT_ANKLE, LEFT_KNEE))
    )
    wanted = transforms[..., :3, 3][:, ankle] + 0.1 * random.normal(size=(len(motion), 2, 3))
    feet = transforms[:, ankle, :3, :3]
    solved = solve_limbs(transforms, motion.rest_joints, LEG, wanted, feet)
    rotations = motion.rotations.copy()
    for place, joint in enumerate((LEFT_HIP, LEFT_KNEE, LEFT_ANKLE)):
        rotations[:, [joint, joint + 1]] = solved[:, place]
    after = BodyMotion.make(motion.time_s, rotations, motion.pelvis, motion.rest_joints).transforms()
    near = np.linalg.norm(wanted - hips, axis=-1) < 0.999 * length
    assert near.mean() > 0.5
    assert np.abs(after[..., :3, 3][:, ankle] - wanted)[near].max() < 1e-6
    assert np.abs(after[:, ankle, :3, :3] - feet).max() < 1e-6


def test_legs_that_are_asked_for_nothing_stay() -> None:
    motion = people.walkers()[0]
    transforms = motion.transforms()
    ankle = [LEFT_ANKLE, LEFT_ANKLE + 1]
    solved = solve_limbs(
        transforms, motion.rest_joints, LEG, transforms[..., :3, 3][:, ankle], transforms[:, ankle, :3, :3]
    )
    for place, joint in enumerate((LEFT_HIP, LEFT_KNEE, LEFT_ANKLE)):
        same = np.abs((solved[:, place] * motion.rotations[:, [joint, joint + 1]]).sum(axis=-1))
        assert same.min() > 1 - 1e-6


def test_live_smoothing_knows_only_the_past_and_follows_claps() -> None:
    noisy = [people.noisy(motion, seed) for seed, motion in enumerate(people.walkers())]
    live = [_live(motion) for motion in noisy]
    before, after = (people.mean_figures(motions, people.walkers()) for motions in (noisy, live))
    assert after["jitter"] < 0.18 * before["jitter"] and after["world"] < before["world"]
    assert after["sliding"] < 0.3 * before["sliding"]
    half = len(noisy[0]) // 2
    assert np.array_equal(_live(noisy[0].part(slice(0, half))).rotations, live[0].rotations[:half])
    assert people.clap_reach(_live(people.clapper(30.0))) > 0.75 * people.clap_reach(people.clapper(30.0))


@pytest.mark.parametrize("rate", [24.0, 30.0, 60.0])
@pytest.mark.parametrize(("hz", "least_gain"), [(2.0, 0.9), (5.0, 0.5**0.5)])
def test_live_smoothing_lags_little_behind_fast_movement(rate: float, hz: float, least_gain: float) -> None:
    wave = people.waver(rate, hz)
    before, after = people.swing_of(wave, hz), people.swing_of(_live(wave), hz)
    assert abs(after) > least_gain * abs(before)
    assert -np.angle(after / before) / (2 * np.pi * hz) < 0.06


def _live(motion: BodyMotion) -> BodyMotion:
    smoother = CausalSmoother(0.75)
    frames = [smoother.update(*row) for row in zip(motion.time_s, motion.rotations, motion.pelvis, strict=True)]
    rotations, pelvis = (np.stack(values) for values in zip(*frames, strict=True))
    return BodyMotion.make(motion.time_s, rotations, pelvis, motion.rest_joints)


def test_local_fits_keep_parabolas_at_any_times_up_to_the_ends() -> None:
    random = np.random.default_rng(3)
    time_s = np.cumsum(random.uniform(0.02, 0.05, 80))
    values = np.stack([3 - 2 * time_s + 0.7 * time_s**2, time_s], axis=-1)
    assert np.allclose(LocalFit(time_s, 0.3).apply(values), values, atol=1e-9)


def test_what_fits_do_to_noise_is_known() -> None:
    random = np.random.default_rng(4)
    time_s = np.arange(40_000) / 30
    noise = 2.0 * random.normal(size=(len(time_s), 1, 1))
    fast, slow = LocalFit(time_s, 0.1), LocalFit(time_s, 0.4)
    middle = slice(20, -20)
    difference = fast.apply(noise) - slow.apply(noise)
    assert difference[middle].var() == pytest.approx(4 * fast.noise_gain(slow)[middle].mean(), rel=0.05)
    assert white_noise([noise])[0] == pytest.approx(4 * 0.455, rel=0.05)  # the median of a squared normal number


@pytest.mark.parametrize("hz", [2.5, 3.5])
def test_fast_motion_in_a_short_stretch_is_not_taken_for_noise(hz: float) -> None:
    """Somebody is lost in a fast move and found again in the middle of it: only the long stretch tells of noise."""
    random, time_s = np.random.default_rng(5), np.arange(90) / 15
    swing = np.deg2rad(40) * np.sin(2 * np.pi * hz * time_s) * (time_s > 5)
    turns = np.deg2rad(0.5) * random.normal(size=(len(time_s), 55, 3))
    turns[:, LEFT_SHOULDER, 1] += swing
    rest = people.body().rest_joints(np.zeros(10))
    pelvis = np.tile(rest[PELVIS], (len(time_s), 1))
    seen = np.flatnonzero((time_s < 4.5) | (time_s > 5))
    motion = BodyMotion.make(time_s[seen], axis_angle_to_quaternion(turns)[seen], pelvis[seen], rest)
    assert len(motion.stretches()) == 2
    found = quaternion_to_axis_angle(smooth(motion, 0.75).rotations[:, LEFT_SHOULDER])[:, 1]
    late = motion.time_s > 5
    kept = found[late] @ swing[seen][late] / (swing[seen][late] @ swing[seen][late])
    assert kept > 0.95


def test_limbs_share_out_all_joints() -> None:
    assert sorted(joint for joints in LIMBS.values() for joint in joints) == list(range(55))
