# SPDX-License-Identifier: GPL-3.0-or-later
"""The slope of a floor that no scene points show, from the places where people put their feet down."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from engine.contract.rotations import axis_angle_to_matrix, matrix_to_quaternion, quaternion_to_matrix
from engine.contract.skeleton import PELVIS
from engine.motion.body_motion import BodyMotion
from engine.motion.ground import Ground, estimate_ground, levelled_on_feet
from engine.motion.standing_feet import find_standing_feet
from engine.synthetic.dice import Dice
from engine.synthetic.motion import Cast, move
from engine.synthetic.people import draw_betas
from engine.synthetic.surface import BodySurface

from . import people

EYE = np.array([0.0, -1.5, -7.0])
"""Where the camera is, in the walkers' world: y down, floor at 0."""
NO_POINTS, SEEDS = np.zeros((0, 3)), range(16)


@cache
def walkers(first: int, count: int) -> tuple[BodyMotion, ...]:
    """People who walk about a room for six seconds; every fourth sits."""
    dice = Dice(torch.arange(first, first + count))
    cast = Cast(
        dice, draw_betas(dice, 1.0), dice.uniform("home", -3.0, 3.0, 2), dice.uniform("radius", 0.5, 1.5),
        torch.arange(count) % 4 == 3, torch.ones(count),
    )  # fmt: skip
    time_s = torch.arange(0.0, 6.0, 1 / 30).expand(count, -1)
    moved = move(cast, BodySurface(people.body(), cell=0.05), time_s, walking=0.7)
    rest = [people.body().rest_joints(betas.numpy()) for betas in cast.betas]
    return tuple(
        BodyMotion.make(
            time_s[person].double().numpy(),
            matrix_to_quaternion(moved.rotations[person].double().numpy()),
            moved.translation[person].double().numpy() + rest[person][PELVIS],
            rest[person],
        )
        for person in range(count)
    )


def seen(motion: BodyMotion, turn: np.ndarray, random: np.random.Generator, depth: float) -> BodyMotion:
    """A walker in the frame of a camera, too far away by a factor, 3 cm off in every frame and leaning by 3 degrees."""
    lean = axis_angle_to_matrix(np.deg2rad(3) * random.normal(size=3))
    rotations = motion.rotations.copy()
    rotations[:, PELVIS] = matrix_to_quaternion(lean @ turn @ quaternion_to_matrix(rotations[:, PELVIS]))
    pelvis = depth * (motion.pelvis - EYE) @ turn.T + 0.03 * random.normal(size=motion.pelvis.shape)
    return BodyMotion.make(motion.time_s, rotations, pelvis, motion.rest_joints)


def tilts(seed: int, count: int, depth: float, roll_deg: float) -> tuple[float, float]:
    """Degrees that the floor is off, from bodies and low feet alone and with the places where feet stand."""
    random = np.random.default_rng(seed)
    turn = axis_angle_to_matrix(np.deg2rad([0, 0, roll_deg])) @ axis_angle_to_matrix(np.deg2rad([8.0, 0, 0]))
    motions = [seen(motion, turn, random, depth) for motion in walkers(100 + 10 * seed, count)]
    first = estimate_ground(NO_POINTS, np.eye(4)[None], np.concatenate([motion.joints()[::4] for motion in motions]))
    assert first.source == "feet"
    then = levelled_on_feet(first, find_standing_feet(motions, first.up))
    off = [np.rad2deg(np.arccos(np.clip(ground.up @ turn @ people.UP, -1, 1))) for ground in (first, then)]
    return off[0], off[1]


@pytest.mark.parametrize(("depth", "roll_deg", "share"), [(1.0, 0.0, 1.0), (1.1, 10.0, 0.8)])
def test_people_who_walk_about_tell_the_slope(depth: float, roll_deg: float, share: float) -> None:
    """Means over rooms with two, three and five people. Where the camera is held level, it tells up as well; where it
    is rolled, feet make the floor better by a fifth. Worse it is nowhere."""
    found = np.array([np.mean([tilts(seed, count, depth, roll_deg) for seed in SEEDS], axis=0) for count in (2, 3, 5)])
    print("degrees without and with feet, for 2, 3 and 5 people:", np.round(found, 2).tolist())
    before, after = found.T
    assert (after < before).all() and after.sum() < share * before.sum()
    assert (after < 2).all()  # the bound of all floors, test_ground.py


def test_one_who_stands_on_the_spot_hardly_tilts_it() -> None:
    """Feet 20 cm apart, one of them 3 cm too high, would tilt it by 8 degrees."""
    feet = find_standing_feet(walkers(0, 1), people.UP)
    close = type(feet)(np.array([[0.0, 0.0, 0.0], [0.2, -0.03, 0.0]]), np.ones(2), np.zeros(2, np.int64))
    found = levelled_on_feet(Ground(people.UP, 0.0, "feet"), close)
    assert np.rad2deg(np.arccos(found.up @ people.UP)) < 2.0


@pytest.mark.parametrize("source", ["points", "whole take"])
def test_a_floor_that_was_seen_stays(source: str) -> None:
    ground = Ground(people.UP, 0.1, source)
    assert levelled_on_feet(ground, find_standing_feet(walkers(0, 1), people.UP)) is ground
