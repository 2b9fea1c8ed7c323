# SPDX-License-Identifier: GPL-3.0-or-later
"""The pass over whole clips of a room whose truth is known."""

import cv2
import numpy as np
import pytest

from engine.camera_pass.adjusting import FocalPrior
from engine.camera_pass.following_camera import follow_camera, sourced
from engine.contract.messages import FocalLength
from engine.evaluation.camera_trajectory import absolute_trajectory_errors, root_mean_square
from engine.evaluation.local_body import rotation_error_deg
from tests.engine.camera_pass.scenes import FOCAL, exhausted, write_room
from tests.engine.stages.textured_room import pose

COUNT = 24
STANDING = np.tile(np.eye(4), (COUNT, 1, 1))


def hand_held():
    phase = np.linspace(0, 1, COUNT)
    return np.stack([pose((0.9 * p, 0.05 * np.sin(5 * p), 0.3 * p), 5 * np.sin(3 * p), 3 * p) for p in phase])


def panning():
    phase = np.linspace(0, 1, COUNT)
    return np.stack([pose(yaw=22 * p, pitch=4 * np.sin(4 * p)) for p in phase])


def wandering(path):
    """What a poor tracker makes of a path."""
    phase = np.linspace(0, 1, COUNT)
    return path @ np.stack([pose((0.2 * np.sin(4 * p), 0.1 * p, -0.2 * p), 7 * p, -4 * np.sin(3 * p)) for p in phase])


def logo(grey):
    cv2.putText(grey, "LIVE 24", (200, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 3)


@pytest.mark.parametrize(
    ("found", "source", "sigma"),
    [
        (0.03, "camera", 0.03),
        (0.15, "people", 0.22),  # as sure as an adjustment takes it to be that was told nothing
        (0.2, "people", 0.22),
    ],
)
def test_the_camera_is_named_as_the_source_where_it_told_something(found, source, sigma):
    told = sourced(FocalLength(500.0, 0.22, "people"), FocalPrior(510.0, found))
    assert told == FocalLength(510.0, sigma, source)


def test_a_camera_that_stands_still_has_one_pose(tmp_path):
    found = exhausted(follow_camera(write_room(tmp_path, STANDING, wandering(STANDING))))
    np.testing.assert_array_equal(found.path.world_from_camera, STANDING)
    assert (found.summary.motion, found.summary.refined) == ("still", True)


@pytest.mark.parametrize("told", [0.9, 1.12])
def test_a_pan_has_no_translation_and_tells_the_focal_length(tmp_path, told):
    path = panning()
    clip = write_room(tmp_path, path, wandering(path))
    found = exhausted(follow_camera(clip, FocalLength(told * FOCAL, 0.1, "prior")))
    assert found.summary.motion == "turning"
    np.testing.assert_array_equal(found.path.world_from_camera[:, :3, 3], 0)
    assert rotation_error_deg(found.path.world_from_camera[:, :3, :3], path[:, :3, :3]).max() < 0.5
    assert found.path.focal is not None and found.path.focal.source == "camera"
    assert found.path.focal.focal_px == pytest.approx(FOCAL, rel=0.03)


@pytest.mark.parametrize("live", [wandering, lambda path: STANDING], ids=["wandering", "standing"])
def test_a_moving_camera_is_followed_whatever_was_found_before(tmp_path, live):
    path = hand_held()
    clip = write_room(tmp_path, path, live(path), 1.08 * FOCAL)
    found = exhausted(follow_camera(clip, FocalLength(1.08 * FOCAL, 0.08, "people")))
    poses, length = found.path.world_from_camera, np.linalg.norm(np.diff(path[:, :3, 3], axis=0), axis=1).sum()
    assert (found.summary.motion, found.summary.refined, found.summary.note) == ("moving", True, "no-people")
    np.testing.assert_allclose(poses[0], np.eye(4), atol=1e-9)
    assert root_mean_square(absolute_trajectory_errors(poses, path)) < 0.02 * length
    assert rotation_error_deg(poses[:, :3, :3], path[:, :3, :3]).mean() < 0.3
    assert found.path.focal is not None and found.path.focal.focal_px == pytest.approx(FOCAL, rel=0.03)
    assert found.summary.ray_angle_deg > 0.9 and found.summary.residual_px < 0.5
    assert len(found.points) > 100


def test_a_logo_does_not_hold_the_camera(tmp_path):
    path = hand_held()
    found = exhausted(follow_camera(write_room(tmp_path, path, STANDING, decorate=logo)))
    assert found.summary.motion == "moving"
    assert root_mean_square(absolute_trajectory_errors(found.path.world_from_camera, path)) < 0.02


def test_without_people_the_scale_is_that_of_the_live_path(tmp_path):
    path = hand_held()
    live = path.copy()
    live[:, :3, 3] *= 1.7
    found = exhausted(follow_camera(write_room(tmp_path, path, live)))
    reach = np.linalg.norm(found.path.world_from_camera[-1, :3, 3]) / np.linalg.norm(live[-1, :3, 3])
    assert reach == pytest.approx(1.0, abs=0.02)


def test_where_nothing_is_seen_the_live_path_stays(tmp_path):
    path = hand_held()
    live = wandering(path)

    pictures = iter(range(COUNT))

    def fade(grey):
        grey[:] = 128 if next(pictures) else grey

    found = exhausted(follow_camera(write_room(tmp_path, path, live, decorate=fade)))
    np.testing.assert_array_equal(found.path.world_from_camera, live)
    assert (found.summary.refined, found.summary.note) == (False, "little-detail")


def test_a_single_frame_is_a_still_camera(tmp_path):
    found = exhausted(follow_camera(write_room(tmp_path, STANDING[:1], STANDING[:1])))
    np.testing.assert_array_equal(found.path.world_from_camera, STANDING[:1])


def test_it_tells_how_far_it_is_and_can_be_closed(tmp_path):
    path = hand_held()
    steps = follow_camera(write_room(tmp_path, path, path))
    shares = [next(steps) for _ in range(COUNT)]
    assert shares == sorted(shares) and 0 <= shares[0] < shares[-1] <= 1
    steps.close()
