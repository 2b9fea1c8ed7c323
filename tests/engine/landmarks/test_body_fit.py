# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies fitted to landmarks without error come out as they were posed, whatever is fitted beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.contract.skeleton import BODY_JOINT_COUNT, MIRRORED
from engine.landmarks.body import body_fit, body_solver
from engine.landmarks.body.body_fit import BodyFitter, DepthPrior
from engine.landmarks.body.body_kinematics import pose_bodies, turn, turn_vector
from engine.landmarks.body.body_points import USED, BodyPoints
from engine.landmarks.observations import Pinhole

from .perfect_landmarks import CAMERA, mannequin, random_poses, see

LIMBS = [4, 5, 7, 8, 16, 17, 18, 19, 20, 21]
"""Knees, ankles, shoulders, elbows, wrists: joints that are landmarks."""

MIRRORED_LANDMARKS = [
    0,
    4,
    5,
    6,
    1,
    2,
    3,
    8,
    7,
    10,
    9,
    *(i + 1 if i % 2 else i - 1 for i in range(11, 33)),
    *range(33, 39),
]


@pytest.fixture(scope="module")
def body():
    return mannequin()


@pytest.fixture(scope="module")
def fitter(body):
    return BodyFitter(body)


@pytest.fixture(scope="module")
def seen(body):
    return see(body, np.zeros((12, 10)), *random_poses(12, seed=1))


def inside(marks):
    return np.ones((len(marks), 39), bool)


def fit(fitter, marks, camera=CAMERA, betas=None, **more):
    return fitter.fit(marks, inside(marks), camera, np.zeros((len(marks), 10)) if betas is None else betas, **more)


def test_posed_bodies_are_recovered(fitter, seen):
    marks, truth = seen
    found = fit(fitter, marks)
    off = np.linalg.norm(found.joints[:, LIMBS] - truth.joints[:, LIMBS], axis=-1)
    assert np.median(off) < 0.025  # the prior pulls a little
    assert off.max() < 0.12
    assert (found.error < 0.01).all()
    assert np.abs(found.pelvis[:, 2] / truth.joints[:, 0, 2] - 1).max() < 0.02


def test_any_shape_of_body_is_recovered(body, fitter):
    betas = np.random.default_rng(3).normal(0, 1, (8, 10))
    marks, truth = see(body, betas, *random_poses(8, seed=4))
    found = fit(fitter, marks, betas=betas)
    off = np.linalg.norm(found.joints[:, LIMBS] - truth.joints[:, LIMBS], axis=-1)
    assert np.median(off) < 0.025  # the prior pulls a little
    assert np.array_equal(found.betas, betas)


def test_what_is_returned_is_one_body(body, fitter, seen):
    found = fit(fitter, seen[0])
    again = body.posed_joints(found.rotations, found.betas)
    assert np.allclose(again - again[:, :1], found.joints - found.joints[:, :1], atol=1e-9)
    assert np.allclose(found.joints[:, 0], found.pelvis)
    assert np.allclose(found.rotations @ found.rotations.swapaxes(-1, -2), np.eye(3), atol=1e-9)


def test_a_row_does_not_depend_on_the_others(fitter, seen, monkeypatch):
    marks, _ = seen
    together = fit(fitter, marks)
    monkeypatch.setattr(body_fit, "ROWS_AT_ONCE", 5)
    chunked = fit(fitter, marks)
    for row in range(len(marks)):
        alone = fit(fitter, marks.select(np.array([row])))
        assert np.allclose(alone.joints[0], together.joints[row], atol=1e-9)
        assert np.allclose(chunked.joints[row], together.joints[row], atol=1e-9)


def test_nobody_is_no_error(fitter, seen):
    nobody = seen[0].select(np.zeros(0, int))
    found = fit(fitter, nobody)
    assert found.joints.shape == (0, 55, 3)
    assert found.rotations.shape == (0, 55, 3, 3)


def test_a_mirrored_picture_gives_the_mirrored_body(fitter, seen):
    marks, _ = seen
    pixels = marks.point_px[:, MIRRORED_LANDMARKS].copy()
    pixels[..., 0] = 2 * CAMERA.principal_point_px[0] - pixels[..., 0]
    world = marks.world[:, MIRRORED_LANDMARKS] * [-1, 1, 1]
    centre = marks.crop.centre_px.copy()
    centre[:, 0] = 2 * CAMERA.principal_point_px[0] - centre[:, 0]
    mirrored = replace(marks, point_px=pixels, world=world, crop=replace(marks.crop, centre_px=centre))
    joints = fit(fitter, marks).joints[:, :BODY_JOINT_COUNT]
    other = fit(fitter, mirrored).joints[:, MIRRORED[:BODY_JOINT_COUNT]] * [-1, 1, 1]
    assert np.abs(joints - other).max() < 2e-3


def test_a_larger_picture_of_the_same_scene_gives_the_same_bodies(body, fitter):
    rotations, pelvis = random_poses(4, seed=5)
    small, _ = see(body, np.zeros((4, 10)), rotations, pelvis)
    camera = Pinhole(2 * CAMERA.focal_px, 2 * CAMERA.principal_point_px)
    large, _ = see(body, np.zeros((4, 10)), rotations, pelvis, camera)
    difference = fit(fitter, small).joints[:, LIMBS] - fit(fitter, large, camera).joints[:, LIMBS]
    assert np.abs(difference).max() < 0.02  # a pixel counts as an error in any picture


def test_moving_away_along_the_ray_only_moves(body, fitter):
    rotations, pelvis = random_poses(6, seed=6)
    near, _ = see(body, np.zeros((6, 10)), rotations, pelvis)
    far, truth = see(body, np.zeros((6, 10)), rotations, 1.5 * pelvis)
    before, after = fit(fitter, near), fit(fitter, far)
    assert np.abs(after.pelvis / (1.5 * before.pelvis) - 1)[:, 2].max() < 0.02
    assert (
        np.median(np.linalg.norm(after.joints - truth.joints[:, :1] - before.joints + before.joints[:, :1], axis=-1))
        < 0.1
    )


def test_a_known_depth_is_kept(fitter, seen):
    marks, truth = seen
    log_depth = np.log(1.2 * truth.joints[:, 0, 2])
    held = fit(fitter, marks, depth=DepthPrior(log_depth, np.full(len(marks), 1e-3)))
    assert np.abs(np.log(held.pelvis[:, 2]) - log_depth).max() < 0.01
    unknown = fit(fitter, marks, depth=DepthPrior(log_depth, np.full(len(marks), np.inf)))
    assert np.allclose(unknown.joints, fit(fitter, marks).joints, atol=1e-9)


def test_a_landmark_outside_the_picture_hardly_pulls(fitter, seen):
    marks, truth = seen
    pixels = marks.point_px.copy()
    pixels[:, 27] += 20.0
    wrong = replace(marks, point_px=pixels)
    within = inside(marks)
    within[:, 27] = False
    betas = np.zeros((len(marks), 10))
    off = [
        np.linalg.norm(fitter.fit(wrong, here, CAMERA, betas).joints[:, 7] - truth.joints[:, 7], axis=-1).mean()
        for here in (within, inside(marks))
    ]
    assert off[0] < off[1]


def test_derivatives_are_those_of_finite_differences(body, seen):
    marks, _ = seen
    rows = marks.select(np.arange(3))
    rest, offsets = BodyPoints(body)(np.random.default_rng(7).normal(0, 1, (3, 10)))
    depth = DepthPrior(np.log([3.0, 4.0, 5.0]), np.full(3, 0.1))
    prepared = body_fit._prepare(rows, inside(rows), CAMERA, rest, offsets, depth)
    rotations, pelvis = random_poses(3, seed=8)
    rotations[:, 4] = turn(np.array([-0.3, 0.1, 0.0]))  # a knee bent the wrong way: its hinge pulls
    everything_counts = 1e6  # a kernel this wide makes every weight constant

    def linearised(turned, shifted):
        posed = pose_bodies(rest, offsets, turned, shifted)
        return body_solver.linearised(prepared, posed, turned, CAMERA.focal_px, everything_counts)

    slopes, _ = linearised(rotations, pelvis)
    posed = pose_bodies(rest, offsets, rotations, pelvis)
    for unknown in range(slopes.shape[-1]):
        step = np.zeros((3, slopes.shape[-1]))
        step[:, unknown] = 1e-5
        ahead, behind = (linearised(*body_solver.moved(posed, rotations, pelvis, sign * step))[1] for sign in (1, -1))
        difference = (ahead - behind) / 2e-5
        assert np.abs(difference - slopes[..., unknown]).max() < 1e-4 * max(1.0, np.abs(difference).max())


def test_turns_and_their_vectors_are_inverse():
    vectors = np.random.default_rng(0).normal(0, 1, (50, 3))
    vectors *= np.minimum(1, 3.0 / np.linalg.norm(vectors, axis=1))[:, None]
    vectors[0] = 0
    assert np.allclose(turn_vector(turn(vectors)), vectors, atol=1e-9)


def test_landmarks_lie_on_the_right_side_of_any_body(body):
    joints, offsets = BodyPoints(body)(np.random.default_rng(2).normal(0, 2, (20, 10)))
    from engine.landmarks.body.body_points import MOVES_WITH

    points = joints[:, list(MOVES_WITH)] + offsets
    for left, right in ((2, 5), (7, 8), (11, 12), (15, 16), (23, 24), (29, 30), (31, 32)):
        assert (points[:, USED.index(left), 0] > 0.01).all()
        assert (points[:, USED.index(right), 0] < -0.01).all()
    assert (points[:, USED.index(31), 2] > points[:, USED.index(29), 2] + 0.1).all()  # toes before heels
    assert (points[:, USED.index(0), 1] > points[:, USED.index(11), 1]).all()
