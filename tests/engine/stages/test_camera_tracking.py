# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracked camera against rooms whose truth is known, and against all that must not move it."""

import cv2
import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.evaluation.camera_trajectory import absolute_trajectory_errors, root_mean_square
from engine.evaluation.local_body import rotation_error_deg
from engine.stages.camera_reference import CARRIED_SIGMA, NEIGHBOR_SIGMA, new_reference
from engine.stages.camera_tracking import CameraTracker, CameraTrackerSettings
from engine.stages.place_depth import PlaceDepth
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


NOBODY = np.ones(LANDSCAPE[::-1], bool)


def test_depth_is_asked_for_new_references_alone_and_where_the_camera_is_then():
    path, camera, tracker, asked = hand_held(), camera_for(LANDSCAPE), CameraTracker(), []
    for number, world_from_camera in enumerate([*path, pose(yaw=60)]):
        grey, depth = see(world_from_camera, camera, LANDSCAPE)

        def depth_at(found, number=number, depth=depth):
            asked.append((number, found))
            return PlaceDepth(depth)

        poses = tracker.follow(grey, NOBODY, depth_at, camera)
        if asked and asked[-1][0] == number:
            np.testing.assert_array_equal(asked[-1][1], poses)
    assert asked[0][0] == 0
    assert 0 < len(asked) < 6


def test_a_camera_is_followed_with_a_floor_and_hardly_anything_else():
    """Walls are off by a factor of 1.6 and said to be unsure: the floor gives the scale, the motion the rest."""
    path, camera, errors = np.stack(hand_held(24)), camera_for(LARGE), []
    for sure in (True, False):
        tracker, found = CameraTracker(), []
        for world_from_camera in path:
            grey, depth = see(world_from_camera, camera, LARGE)
            rows = np.arange(LARGE[1])[:, None] - camera[1, 2]
            on_floor = np.abs(depth * rows / camera[1, 1] + world_from_camera[1, 3] - 1.4) < 0.2
            known = np.where(on_floor, depth, 1.6 * depth).astype(np.float32)
            sigma = np.where(on_floor, 0.15, 1.0).astype(np.float32)
            place = PlaceDepth(known, sigma if sure else None)
            found.append(tracker.follow(grey, np.ones(depth.shape, bool), lambda _, place=place: place, camera))
        errors.append(np.linalg.norm(np.stack(found)[:, :3, 3] - path[:, :3, 3], axis=-1).max())
    assert errors[0] < 0.08
    assert errors[1] > 3 * errors[0], "knowing what is unsure makes the difference"


def test_unsure_corners_of_a_new_reference_take_the_depth_of_those_around_them():
    depth, sigma = np.full((60, 80), 5.0, np.float32), np.full((60, 80), 1.0, np.float32)
    sigma[40:] = 0.15
    old = np.array(
        [(10.0, 10), (12, 10), (10, 12), (12, 12), (11, 11), (70, 10), (72, 10), (70, 12), (72, 12), (71, 11)]
    )
    old_depth = np.log(np.repeat([2.0, 8.0], 5))
    new = np.array([(14.0, 14), (68, 14), (40, 50)])
    found = new_reference(
        np.zeros((60, 80), np.uint8), np.eye(3), np.eye(4), (old, old_depth), new, PlaceDepth(depth, sigma)
    )
    np.testing.assert_allclose(np.exp(found.prior[10:]), [2.0, 8.0, 5.0], rtol=1e-6)
    np.testing.assert_allclose(found.prior_sigma, [*[CARRIED_SIGMA] * 10, NEIGHBOR_SIGMA, NEIGHBOR_SIGMA, 0.15])
