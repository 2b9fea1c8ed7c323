# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tracked camera stands on: poses and depths adjusted together, and where the place is known."""

import numpy as np
import pytest

from engine.contract.body_model import BodyModel, default_body_path
from engine.stages.place_adjustment import adjust, huber_costs, huber_weights, project, rays, transform
from engine.stages.place_depth import people_cover, place_depth
from engine.video.picture import TRACKING_SIDE, PictureMap, tracking_picture
from tests.engine.stages.textured_room import pinhole, pose


def test_views_correct_the_depths_that_were_predicted_wrong():
    random, camera = np.random.default_rng(0), pinhole((640, 480), 600.0)
    pixel = random.uniform((40, 40), (600, 440), (120, 2))
    depth = random.uniform(2.5, 6.0, 120)
    views = np.linalg.inv(np.stack([pose((0.1 * n, -0.03 * n, 0.06 * n), n, -0.5 * n) for n in range(1, 6)]))
    ray = rays(pixel, camera)
    seen = random.random((5, 120)) < 0.9
    shown = np.where(seen[..., None], project(transform(views, ray * depth[:, None]), camera), np.nan)
    prior = np.log(depth) + random.normal(0, 0.1, 120)
    poses, log_depth, sigma = np.tile(np.eye(4), (5, 1, 1)), prior, np.full(120, 0.1)
    for _ in range(4):  # as from picture to picture: each time a few steps from where it was
        adjusted = adjust(poses, log_depth, ray, camera, np.nan_to_num(shown), seen, prior, sigma)
        poses, log_depth = adjusted.view_from_reference, adjusted.log_depth
    scale = np.exp(np.median(log_depth - np.log(depth)))
    assert scale == pytest.approx(1, abs=0.03), "the priors agree on the scale, each for itself is a tenth wrong"
    np.testing.assert_allclose(log_depth - np.log(depth), np.log(scale), atol=0.01)
    np.testing.assert_allclose(poses[:, :3, 3], scale * views[:, :3, 3], atol=0.004)
    np.testing.assert_allclose(poses[:, :3, :3], views[:, :3, :3], atol=1e-3)


def test_without_motion_depths_stay_as_predicted():
    camera, random = pinhole((128, 96), 130.0), np.random.default_rng(0)
    pixel, prior = random.uniform(10, 80, (50, 2)), random.uniform(0.8, 1.6, 50)
    adjusted = adjust(
        np.eye(4)[None],
        prior,
        rays(pixel, camera),
        camera,
        pixel[None],
        np.ones((1, 50), bool),
        prior,
        np.full(50, 0.1),
    )
    np.testing.assert_allclose(adjusted.log_depth, prior, atol=1e-9)
    np.testing.assert_allclose(adjusted.view_from_reference[0], np.eye(4), atol=1e-9)


def test_weights_are_those_of_the_costs():
    """For residuals of length r the derivative of the cost is 2 r times the weight."""
    length = np.array([0.1, 0.39, 0.5, 3.0])
    residual, step = np.stack([length, np.zeros(4)], axis=-1), np.array([1e-6, 0.0])
    slope = (huber_costs(residual + step, 0.2) - huber_costs(residual - step, 0.2)) / 2e-6
    np.testing.assert_allclose(slope, 2 * length / 0.2**2 * huber_weights(residual, 0.2), rtol=1e-4)


def test_people_are_cut_out_of_the_place():
    """By their mask and, where the mask misses them, by their bones; with a margin, and nowhere else."""
    camera = pinhole((256, 192), 260.0)
    depth, mask = np.full((96, 128), 4.0, np.float32), np.zeros((96, 128), bool)
    mask[10:20, 5:15], depth[60, 100], depth[80:, 110] = True, np.nan, -1.0
    body = BodyModel.load(default_body_path())
    joints = body.posed_joints(
        np.tile(np.eye(3), (1, 55, 1, 1)), np.zeros((1, 10)), np.zeros((1, 10)), np.array([[0.3, 0.2, 3.5]])
    )
    sigma = np.where(depth > 3, np.float32(0.5), np.float32(0.1))

    def placed_among(mask, joints):
        return place_depth(depth, sigma, people_cover(mask, joints, camera, (256, 192)))

    known = placed_among(mask, joints)
    placed = known.depth
    assert known.log_sigma is not None
    assert known.log_sigma.shape == placed.shape
    assert placed.shape == (192, 256)
    assert np.isnan(placed[20:40, 10:30]).all() and np.isnan(placed[17, 20])
    bones = np.round(joints[0, :22, :2] / joints[0, :22, 2:] * 260 + (128, 96)).astype(int)
    inside = (bones >= 0).all(1) & (bones < (256, 192)).all(1)
    assert inside.sum() > 12
    assert np.isnan(placed[bones[inside, 1], bones[inside, 0]]).all()
    assert np.isnan(placed[121, 201]) and np.isnan(placed[165:, 221]).all()
    assert (placed[100:, :60] == 4).all() and np.isfinite(placed).mean() > 0.7
    nobody = placed_among(np.zeros_like(mask), np.empty((0, 55, 3))).depth
    assert np.isfinite(nobody).mean() > 0.99
    behind = joints * [1, 1, -1]
    assert np.isfinite(placed_among(np.zeros_like(mask), behind).depth).mean() > 0.99


@pytest.mark.parametrize("footage", [(1920, 1080), (720, 1281), (100, 77), (500, 500)])
def test_the_tracking_picture_shows_what_its_camera_says(footage):
    """A blurred dot in the footage is where the tracking picture's pinhole puts its ray."""
    picture_map = PictureMap.plan(footage, 128)
    size, focal, centre = picture_map.tracking_size, 1.1 * max(footage), picture_map.principal_point()
    assert max(size) <= min(TRACKING_SIDE, max(footage))
    dot = np.array(footage) * (0.6, 0.4)
    columns, rows = np.meshgrid(np.arange(footage[0]), np.arange(footage[1]))
    width = max(2.0, max(footage) / 100)
    light = 200 * np.exp(-((columns - dot[0]) ** 2 + (rows - dot[1]) ** 2) / (2 * width**2))
    grey = tracking_picture(np.repeat(light[..., None], 3, axis=-1).astype(np.uint8), picture_map).astype(float)
    assert grey.shape == size[::-1]
    seen = np.array([(grey.sum(0) * np.arange(size[0])).sum(), (grey.sum(1) * np.arange(size[1])).sum()]) / grey.sum()
    expected = project(np.array([[*(dot - centre) / focal, 1.0]]), picture_map.tracking_camera(focal, centre))[0]
    np.testing.assert_allclose(seen, expected, atol=0.05)
