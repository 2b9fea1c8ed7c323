# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras, points and the focal length adjusted together, against scenes of points whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from engine.camera_pass.adjusting import FocalPrior
from engine.camera_pass.bundle import Problem, Scene, adjust, focal_deviation, residuals
from engine.camera_pass.growing import mirrored_cameras, turned_cameras
from engine.camera_pass.key_frames import choose_key_frames, sightings_of
from engine.camera_pass.locating import located
from engine.camera_pass.observations import Observations, Seen
from engine.camera_pass.structure import WindowSize, combined, structure
from engine.evaluation.camera_trajectory import absolute_trajectory_errors
from engine.evaluation.local_body import rotation_error_deg
from tests.engine.camera_pass.scenes import cloud, exhausted, observed, pose, walk

FOCAL = 560.0


def few_cameras(random, cameras=6):
    path = walk(cameras, 1.5)
    points = cloud(random, 80, 4.0)
    seen, tracks = sightings_of(observed(points, path, FOCAL), range(cameras))
    return Scene(np.linalg.inv(path), points[tracks], FOCAL), seen


def off_by(scene, random, focal):
    poses = scene.camera_from_world.copy()
    poses[1:, :3, 3] += random.normal(0, 0.03, (len(poses) - 1, 3))
    return Scene(poses, scene.points + random.normal(0, 0.05, scene.points.shape), focal)


def problem(cameras, focal_sigma=0.1, focal=1.05 * FOCAL):
    return Problem(0.5, focal, focal_sigma, np.arange(cameras) == 0)


def test_the_truth_is_found_from_nearby():
    random = np.random.default_rng(1)
    truth, seen = few_cameras(random)
    found = exhausted(adjust(off_by(truth, random, 1.05 * FOCAL), seen, replace(problem(6), focal_sigma=10.0)))
    assert np.abs(residuals(found, seen)[0]).max() < 1e-3
    assert found.focal == pytest.approx(FOCAL, rel=1e-4)
    path, true = np.linalg.inv(found.camera_from_world), np.linalg.inv(truth.camera_from_world)
    assert absolute_trajectory_errors(path, true).max() < 1e-4


def test_what_is_fixed_stays_exactly():
    random = np.random.default_rng(2)
    truth, seen = few_cameras(random)
    start = off_by(truth, random, FOCAL)
    fixed = np.isin(np.arange(6), [0, 3])
    found = exhausted(adjust(start, seen, Problem(0.5, FOCAL, 0.0, fixed)))
    np.testing.assert_array_equal(found.camera_from_world[fixed], start.camera_from_world[fixed])
    assert found.focal == FOCAL


def test_a_wrong_sighting_hardly_pulls():
    random = np.random.default_rng(3)
    truth, seen = few_cameras(random)
    pixel = seen.pixel.copy()
    pixel[::40] += 60
    found = exhausted(adjust(off_by(truth, random, FOCAL), replace(seen, pixel=pixel), problem(6, 0.0, FOCAL)))
    errors = np.linalg.norm(residuals(found, seen)[0], axis=1)
    assert np.median(errors) < 0.3


def test_the_deviation_of_the_focal_length_is_its_scatter():
    random = np.random.default_rng(4)
    truth, seen = few_cameras(random)
    free = Problem(0.5, FOCAL, np.inf, np.arange(6) == 0)
    logs = []
    for _ in range(24):
        noisy = replace(seen, pixel=seen.pixel + random.normal(0, 0.5, seen.pixel.shape))
        logs.append(np.log(exhausted(adjust(truth, noisy, free)).focal / FOCAL))
    assert np.std(logs) == pytest.approx(focal_deviation(truth, seen, free), rel=0.5)


def test_focal_lengths_are_combined_by_their_weights():
    both = combined([FocalPrior(500.0, 0.03), FocalPrior(600.0, 0.03), FocalPrior(9000.0, np.inf)])
    assert both.focal == pytest.approx(np.sqrt(500 * 600))
    assert both.relative_sigma == pytest.approx(0.03 / np.sqrt(2))


def test_a_camera_is_located_against_points_some_of_which_are_wrong():
    random = np.random.default_rng(5)
    points, camera = cloud(random, 60, 4.0), pose((0.4, -0.1, 0.2), 5, -3)
    camera_from_world = np.linalg.inv(camera)
    inside = points @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    pixel = inside[:, :2] / inside[:, 2:] * FOCAL
    pixel[::5] += 35
    found = located(np.linalg.inv(pose((0.35, -0.1, 0.2), 6, -3)), points, pixel, FOCAL)
    np.testing.assert_allclose(found, camera_from_world, atol=2e-3)
    assert located(np.eye(4), points[:5], pixel[:5], FOCAL) is None


def test_the_mirror_image_of_a_mirror_image_is_the_path():
    random = np.random.default_rng(6)
    truth, seen = few_cameras(random)
    turned = turned_cameras(FOCAL, seen, 6)
    back = mirrored_cameras(mirrored_cameras(truth.camera_from_world, turned), turned)
    np.testing.assert_allclose(back, truth.camera_from_world @ np.linalg.inv(truth.camera_from_world[0]), atol=1e-9)


def test_key_frames_come_where_the_picture_has_changed():
    points = cloud(np.random.default_rng(7), 200)
    still, going = np.tile(np.eye(4), (5, 1, 1)), walk(60)
    keys = exhausted(choose_key_frames(observed(points, np.concatenate([still, going]), FOCAL)))
    assert keys[0] == 0 and keys[1] > 4 and keys[-1] == 64
    assert len(keys) < 60


@pytest.mark.parametrize("live", ["wandering", "standing"])
def test_a_long_path_is_joined_from_windows(live):
    """More key frames than are adjusted at once, no corner in sight for longer than a part of them."""
    random = np.random.default_rng(8)
    path = walk(64, 8.0)
    points = cloud(random, 500, 12.0)
    with observed(points, path, FOCAL, random, 0.2) as seen:
        assert len(exhausted(choose_key_frames(seen))) > 40
        told = np.tile(np.eye(4), (64, 1, 1))
        if live == "wandering":
            told = path @ np.stack([pose((0.2 * np.sin(k / 20), 0, 0.1), 5 * np.sin(k / 30)) for k in range(64)])
        found = exhausted(structure(seen, told, FocalPrior(1.06 * FOCAL, 0.08), WindowSize(24, 8)))
    poses = np.linalg.inv(found.camera_from_world)
    assert absolute_trajectory_errors(poses, path).max() < 0.01 * 8
    assert rotation_error_deg(poses[:, :3, :3], path[:, :3, :3]).mean() < 0.3
    assert found.focal.focal == pytest.approx(FOCAL, rel=0.02)


def test_observations_come_back_as_they_went_in():
    with Observations() as seen:
        seen.add(Seen(np.array([3, 5, 8]), np.array([[1.0, 2], [3, 4], [5, 6]])))
        seen.add(Seen(np.empty(0, np.int64), np.empty((0, 2))))
        seen.add(Seen(np.array([5, 9]), np.array([[7.0, 8], [9, 10]])))
        here, there = seen.frame(0).common(seen.frame(2))
        assert len(seen) == 3 and len(seen.frame(1).track) == 0
    np.testing.assert_array_equal(here, [[3, 4]])
    np.testing.assert_array_equal(there, [[7, 8]])
