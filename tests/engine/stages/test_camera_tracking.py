# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracked camera against rooms whose truth is known, and against all that must not move it."""

import cv2
import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.evaluation.camera_trajectory import absolute_trajectory_errors, root_mean_square
from engine.evaluation.local_body import rotation_error_deg
from engine.stages.camera_tracking import CameraTracker, CameraTrackerSettings
from tests.engine.stages.textured_room import pinhole, pose, see

LANDSCAPE, PORTRAIT, LARGE = (128, 96), (96, 128), (384, 216)
STILL_M = 0.001
FAR_WALL_M = 6.0


def camera_for(size):
    return pinhole(size, 1.05 * max(size))


def far_pixel(size):
    """How wide a pixel is at the far wall: metres, and degrees."""
    focal = camera_for(size)[0, 0]
    return FAR_WALL_M / focal, np.degrees(1 / focal)


def hand_held(count=16):
    """A path that begins at the world's origin: a third of a metre sideways and forward, with turns."""
    phase = np.linspace(0, 1, count)
    return [
        pose((0.35 * np.sin(2 * p), 0.06 * np.sin(5 * p), 0.3 * p), 5 * np.sin(3 * p), 3 * np.sin(4 * p)) for p in phase
    ]


def wrong_depth(depth, seed, size=0.1):
    """What a network makes of it: errors of `size` that are smooth over the picture and new in each."""
    error = np.random.default_rng(seed).normal(size=(5, 6))
    return depth * np.exp(size * cv2.resize(error, depth.shape[::-1], interpolation=cv2.INTER_CUBIC)).astype(np.float32)


def follow_path(path, size, change_depth=lambda depth, _: depth):
    tracker, camera = CameraTracker(), camera_for(size)
    poses = []
    for number, world_from_camera in enumerate(path):
        grey, depth = see(world_from_camera, camera, size)
        poses.append(tracker.update(grey, change_depth(depth, number), camera))
    return np.stack(poses)


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT, LARGE])
def test_a_path_is_found_in_metres(size):
    """To within a pixel, from a small picture of far walls as from a larger one."""
    path, (pixel_m, pixel_deg) = np.stack(hand_held()), far_pixel(size)
    found = follow_path(path, size)
    np.testing.assert_array_equal(found[0], np.eye(4))
    assert np.linalg.norm(found[:, :3, 3] - path[:, :3, 3], axis=-1).max() < pixel_m
    assert rotation_error_deg(found[:, :3, :3], path[:, :3, :3]).max() < pixel_deg
    np.testing.assert_allclose(
        found[:, :3, :3] @ np.swapaxes(found[:, :3, :3], 1, 2), np.tile(np.eye(3), (16, 1, 1)), atol=1e-9
    )


def test_wrong_and_flickering_depth_bends_the_path_little():
    path = np.stack(hand_held())
    found = follow_path(path, LANDSCAPE, wrong_depth)
    still = np.tile(np.eye(4), (len(path), 1, 1))
    assert root_mean_square(absolute_trajectory_errors(found, path)) < 0.2 * root_mean_square(
        absolute_trajectory_errors(still, path)
    )


def test_a_long_pan_hands_the_place_on_from_reference_to_reference():
    path = np.stack([pose((0.3 * p, 0, 0.2 * p), 70 * p) for p in np.linspace(0, 1, 36)])
    found = follow_path(path, LANDSCAPE)
    assert rotation_error_deg(found[-1, :3, :3], path[-1, :3, :3]) < 1.5
    assert np.linalg.norm(found[-1, :3, 3] - path[-1, :3, 3]) < 0.1


def test_a_still_camera_stays_still():
    """Under noise, a lamp that dims, and depths and focal lengths that flicker by a tenth."""
    random, camera, tracker = np.random.default_rng(0), camera_for(LANDSCAPE), CameraTracker()
    grey, depth = see(pose(), camera, LANDSCAPE)
    for number in range(16):
        noisy = grey * (1 + 0.3 * np.sin(number / 4)) + random.normal(0, 2, grey.shape)
        flickering = camera.copy()
        flickering[[0, 1], [0, 1]] *= random.uniform(0.9, 1.1)
        found = tracker.update(noisy.clip(0, 255).astype(np.uint8), wrong_depth(depth, number), flickering)
        assert np.linalg.norm(found[:3, 3]) < STILL_M
        assert rotation_error_deg(found[:3, :3], np.eye(3)) < 0.02


def test_masked_people_do_not_move_it():
    """Somebody in stripes walks through a third of the picture; where he is no depth of the place is known."""
    camera, tracker = camera_for(LANDSCAPE), CameraTracker()
    place, depth = see(pose(), camera, LANDSCAPE)
    stripes = np.random.default_rng(1).integers(0, 255, (96, 44), dtype=np.uint8)
    for number in range(16):
        grey, known = place.copy(), depth.copy()
        left = 5 * number
        grey[:, left : left + 44] = stripes[:, : grey.shape[1] - left]
        known[:, left : left + 44] = np.nan
        assert np.linalg.norm(tracker.update(grey, known, camera)[:3, 3]) < STILL_M


def test_what_moves_unmasked_moves_it_little():
    """The mask is not always right: RANSAC has to tell a patch that goes its own way."""
    camera, tracker = camera_for(LANDSCAPE), CameraTracker()
    place, depth = see(pose(), camera, LANDSCAPE)
    patch = np.random.default_rng(1).integers(0, 255, (40, 24), dtype=np.uint8)
    for number in range(12):
        grey = place.copy()
        grey[40:80, 30 + 2 * number : 54 + 2 * number] = patch
        assert np.linalg.norm(tracker.update(grey, depth, camera)[:3, 3]) < 0.01


def test_without_anything_to_follow_it_stays_and_goes_on_after():
    size, path = LANDSCAPE, hand_held()
    tracker, camera, blank = CameraTracker(), camera_for(LANDSCAPE), np.full((96, 128), 90, np.uint8)
    depth = see(path[0], camera, size)[1]
    for _ in range(3):
        np.testing.assert_array_equal(tracker.update(blank, depth, camera), np.eye(4))
    for world_from_camera in path[:8]:
        before = tracker.update(*see(world_from_camera, camera, size), camera)
    for _ in range(2):  # a hand before the lens
        np.testing.assert_array_equal(tracker.update(blank, depth, camera), before)
    found = tracker.update(*see(path[9], camera, size), camera)
    assert np.linalg.norm(found[:3, 3] - path[9][:3, 3]) < far_pixel(size)[0]
    nothing_known = np.full_like(depth, np.nan)
    for world_from_camera in path[10:]:
        np.testing.assert_array_equal(
            tracker.update(see(world_from_camera, camera, size)[0], nothing_known, camera), found
        )


def test_a_film_that_fades_in_gets_a_better_reference():
    camera, tracker, path = camera_for(LANDSCAPE), CameraTracker(), hand_held()
    for number, world_from_camera in enumerate([path[0]] * 5 + path):
        grey, depth = see(world_from_camera, camera, LANDSCAPE)
        light = min(1.0, number / 5)
        found = tracker.update((grey * light).astype(np.uint8), depth, camera)
    assert np.linalg.norm(found[:3, 3] - path[-1][:3, 3]) < far_pixel(LANDSCAPE)[0]


def test_going_on_from_a_saved_state_changes_no_bit():
    camera, path = camera_for(LANDSCAPE), hand_held(12)
    blank = (np.zeros((96, 128), np.uint8), np.full((96, 128), np.nan, np.float32))
    frames = [blank, *(see(world_from_camera, camera, LANDSCAPE) for world_from_camera in path), blank, blank, blank]
    whole = CameraTracker()
    expected = [whole.update(*frame, camera) for frame in frames]
    for stop in (1, 2, 7, 14, 15):
        first = CameraTracker()
        for frame in frames[:stop]:
            first.update(*frame, camera)
        state = {name: value.copy() for name, value in first.export_state().items()}
        for frame in frames[stop:]:
            first.update(*frame, camera)  # what was exported is not touched
        second = CameraTracker()
        second.restore_state(state)
        for frame, right in zip(frames[stop:], expected[stop:], strict=True):
            np.testing.assert_array_equal(second.update(*frame, camera), right)


@pytest.mark.parametrize(
    "wrong", [{"least_points": 5}, {"most_points": 10}, {"least_survivors": 1.0}, {"most_views": 0}, {"patience": 0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(UserError, match="bad-setting"):
        CameraTrackerSettings(**wrong)
