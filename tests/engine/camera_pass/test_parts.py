# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the pass by themselves: turns, stillness, corners, floor and scale, people fitted again."""

import cv2
import numpy as np
import pytest

from engine.camera_pass.long_tracks import LongTracks
from engine.camera_pass.lowest_plane import lowest_plane
from engine.camera_pass.metric import Stances, Told, agreed_scale, scale_from_planted_feet, scale_of
from engine.camera_pass.observations import Observations, Seen
from engine.camera_pass.refit import moved_body, refitted
from engine.camera_pass.similarity import path_scale
from engine.camera_pass.stillness import StillTest
from engine.camera_pass.turning import TURNING_PX, focal_from_turns, turn_of, turns
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import Frame, pack_mask
from engine.contract.rotations import axis_angle_to_matrix
from engine.stages.point_tracking import even_light
from tests.engine.camera_pass.scenes import exhausted, pose, seen_by, walk
from tests.engine.stages.textured_room import pinhole, see

SIZE, FOCAL = (320, 240), 300.0
UP = np.array([0.0, -1.0, 0.0])


def turned(random, yaw, focal=500.0):
    points = random.uniform((-6, -3, 4), (6, 3, 12), (150, 3))
    (first, before), (second, after) = seen_by(points, np.eye(4), focal), seen_by(points, pose(yaw=yaw), focal)
    _, here, there = np.intersect1d(first, second, return_indices=True)
    return before[here], after[there]


def test_a_turn_is_found_among_corners_that_move_by_themselves():
    before, after = turned(np.random.default_rng(1), 8.0)
    after[::6] += 15
    turn = turn_of(before, after, 500.0)
    np.testing.assert_allclose(turn.second_from_first, pose(yaw=8.0)[:3, :3].T, atol=2e-4)
    assert np.median(turn.off_px) < 0.1


def test_a_long_pan_to_and_fro_is_a_turn_though_corners_drift():
    random = np.random.default_rng(4)
    points = random.uniform((-6, -3, 4), (6, 3, 12), (150, 3))
    drift = np.zeros((150, 2))
    with Observations() as seen:
        true = []
        for index in range(800):
            true.append(pose(yaw=3.0 * np.sin(index / 60)))
            track, pixel = seen_by(points, true[-1], 500.0)
            drift += random.normal(0, 0.04, drift.shape)
            seen.add(Seen(track, pixel + drift[track]))
        found = exhausted(turns(seen, 500.0))
    assert found.residual_px < TURNING_PX
    off = np.swapaxes(found.world_from_camera, 1, 2) @ np.array(true)[:, :3, :3]
    assert np.degrees(np.arccos(np.clip((np.trace(off, axis1=1, axis2=2) - 1) / 2, -1, 1))).max() < 0.1


@pytest.mark.parametrize("guess", [0.75, 1.0, 1.3])
def test_turns_tell_the_focal_length(guess):
    random = np.random.default_rng(2)
    told = exhausted(focal_from_turns([turned(random, 9.0), turned(random, -12.0)], guess * 500.0))
    assert told.focal == pytest.approx(500.0, rel=0.005)
    assert told.relative_sigma < 0.03


def test_small_turns_tell_no_focal_length():
    random = np.random.default_rng(3)
    assert exhausted(focal_from_turns([turned(random, 0.8)], 500.0)).relative_sigma == np.inf
    assert exhausted(focal_from_turns([], 500.0)).relative_sigma == np.inf


def room(camera):
    grey, _ = see(camera, pinhole(SIZE, FOCAL), SIZE)
    return grey


def test_a_camera_is_still_until_it_moves():
    random, test, free = np.random.default_rng(4), StillTest(2.0), np.ones(SIZE[::-1], np.uint8)
    for _ in range(5):
        noisy = (room(np.eye(4)) + random.normal(0, 3, SIZE[::-1])).clip(0, 255).astype(np.uint8)
        test.update(even_light(noisy), free)
    assert test.is_still
    test.update(even_light(room(pose((0.03, 0, 0)))), free)
    assert not test.is_still


def test_people_are_not_looked_at():
    """Half of the picture moves, and is marked."""
    test, free = StillTest(2.0), np.ones(SIZE[::-1], np.uint8)
    free[:, :160] = 0
    for number in range(4):
        picture = room(np.eye(4))
        picture[:, :160] = room(pose((0.2 * number, 0, 0)))[:, :160]
        test.update(even_light(picture), free)
    assert test.is_still


def test_corners_of_a_logo_are_dropped_and_not_found_again():
    tracks, free = LongTracks(), np.ones(SIZE[::-1], np.uint8)
    inside = []
    for number in range(16):
        picture = room(pose((0.05 * number, 0, 0)))
        cv2.putText(picture, "LIVE", (200, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 3)
        _, pixel = tracks.update(picture, even_light(picture), free)
        inside.append(int(((pixel > (205, 42)) & (pixel < (265, 58))).all(axis=1).sum()))
    assert inside[0] >= 8
    assert inside[-1] <= inside[0] / 4  # where the background shows between letters, corners come and go
    assert len(pixel) > 50


def floor_and_table(random, tilt_deg=0.0):
    """Points of a floor 1.5 below the camera, of a table above it that has more, and of walls."""
    floor = np.column_stack([random.uniform(-3, 3, 80), np.full(80, 1.5), random.uniform(2, 8, 80)])
    table = np.column_stack([random.uniform(-1, 1, 120), np.full(120, 0.7), random.uniform(3, 5, 120)])
    wall = np.column_stack([random.uniform(-3, 3, 100), random.uniform(-2, 1.5, 100), np.full(100, 8.0)])
    turn = axis_angle_to_matrix(np.array([np.radians(tilt_deg), 0, 0]))
    return np.concatenate([floor, table, wall]) @ turn.T, UP @ turn.T


@pytest.mark.parametrize("tilt_deg", [0.0, 12.0])
def test_the_floor_is_the_lowest_plane_and_not_the_table(tilt_deg):
    points, up = floor_and_table(np.random.default_rng(5), tilt_deg)
    found, level = lowest_plane(points, np.zeros((1, 3)), UP, 25.0)
    assert np.degrees(np.arccos(np.clip(found @ up, -1, 1))) < 1.0
    assert level == pytest.approx(-1.5, rel=0.02)


def test_few_points_have_no_floor():
    assert lowest_plane(np.random.default_rng(6).normal(0, 1, (20, 3)), np.zeros((1, 3)), UP, 25.0) is None


def person(world_from_camera, unit, random, noise, rate=15.0):
    """Somebody who stands 4 m ahead while the camera, whose path is in other units, goes by."""
    feet = np.array([[-0.1, 1.43, 4.0], [0.1, 1.43, 4.0]])
    joints = np.zeros((22, 3))
    joints[[7, 8]], joints[[10, 11]], joints[12] = feet, feet + np.array([0, 0.05, -0.1]), (0, 0.05, 4.0)
    joints[[1, 2]], joints[[4, 5]], joints[0] = feet - (0, 0.8, 0), feet - (0, 0.4, 0), (0, 0.6, 4.0)
    rows = []
    for camera in world_from_camera:
        inside = (joints - unit * camera[:3, 3]) @ camera[:3, :3]
        rows.append(inside * np.exp(random.normal(0, noise)))
    frames = np.arange(len(rows))
    return Stances(frames, np.zeros(len(rows), int), np.array(rows), 1 / rate)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_planted_feet_tell_meters(noise):
    path = walk(60, 1.5)
    told = scale_from_planted_feet(person(path, 1.6, np.random.default_rng(7), noise), path)
    assert told.scale == pytest.approx(1.6, rel=1e-5 if noise == 0 else 0.15)
    assert told.deviation < (1e-6 if noise == 0 else 0.2)


def test_planted_feet_tell_as_much_at_a_high_frame_rate():
    path = walk(240, 1.5)
    told = scale_from_planted_feet(person(path, 1.6, np.random.default_rng(7), 0.01, rate=60.0), path)
    assert told.scale == pytest.approx(1.6, rel=0.15)
    assert told.deviation < 0.2


def test_the_floor_tells_meters_where_it_agrees():
    path = walk(60, 1.5)
    points, _ = floor_and_table(np.random.default_rng(8))
    people = person(path, 1.6, np.random.default_rng(9), 0.01)
    assert scale_of(people, path, points / 1.6) == pytest.approx(1.6, rel=0.04)


@pytest.mark.parametrize(
    ("planted", "floor", "scale"),
    [
        (None, 1.2, 1.2),
        (Told(1.0, 0.02), 1.2, 1.2),
        (Told(1.0, 0.02), 2.0, 1.0),  # feet that are sure know of a table
        (Told(1.0, 0.2), 1.75, 1.75),  # and those that are not do not
        (Told(4.2, 0.44), 1.2, 1.2),  # what says nothing has no veto
        (Told(1.0, 0.3), None, None),
        (None, None, None),
    ],
)
def test_floor_and_feet_agree_on_a_scale(planted, floor, scale):
    assert agreed_scale(planted, floor) == scale


def test_the_scale_of_a_path_is_that_of_another():
    path = walk(30)
    larger = path.copy()
    larger[:, :3, 3] = 2.5 * path[:, :3, 3] @ pose(yaw=40)[:3, :3].T + (1, 2, 3)
    assert path_scale(path, larger) == pytest.approx(2.5)
    assert path_scale(path, np.tile(np.eye(4), (30, 1, 1))) is None


def standing_person(focal_px):
    pose_axis_angle = np.zeros((1, 55, 3))
    pose_axis_angle[0, 0] = (np.pi, 0.3, 0.1)
    return Frame(
        index=4,
        source_frame=8,
        time_s=0.3,
        focal_px=focal_px,
        world_from_camera=np.eye(4),
        principal_point_px=np.array([160.0, 120.0]),
        track_id=np.array([2]),
        score=np.ones(1),
        pose_axis_angle=pose_axis_angle,
        betas=np.zeros((1, 10)),
        expression=np.zeros((1, 10)),
        translation=np.array([[0.8, 0.3, 3.0]]),
        head_point=np.array([[0.8, -0.3, 3.0]]),
        head_px=np.zeros((1, 2)),
        mask_size=(16, 12),
        mask_box_px=(-0.5, -0.5, 319.5, 239.5),
        mask_bits=pack_mask(np.zeros((12, 16), bool)),
    )


def joints_of(body, people):
    values = (np.asarray(getattr(people, name), float) for name in ("pose_axis_angle", "betas", "expression"))
    turns, betas, expression = values
    return body.posed_joints(axis_angle_to_matrix(turns), betas, expression, np.asarray(people.translation, float))[0]


def test_people_stay_in_their_pixels_under_another_focal_length():
    body, frame = BodyModel.load(default_body_path()), standing_person(300.0)
    final = refitted(frame, pose((1, 2, 3)), 360.0, body)
    before, after = joints_of(body, frame), joints_of(body, final)
    off = after[:22, :2] / after[:22, 2:] * 360 - before[:22, :2] / before[:22, 2:] * 300
    assert np.sqrt((off**2).sum(axis=1).mean()) < 3.0
    assert after[0, 2] == pytest.approx(1.2 * before[0, 2], rel=0.03)
    lengths = [np.linalg.norm(joints[:22] - joints[0], axis=1) for joints in (before, after)]
    np.testing.assert_allclose(*lengths, atol=1e-6)
    head = np.linalg.norm(final.head_point[0] - after[0]), np.linalg.norm(frame.head_point[0] - before[0])
    assert head[0] == pytest.approx(head[1], abs=1e-6)
    np.testing.assert_array_equal(final.world_from_camera, pose((1, 2, 3)))
    assert (final.index, final.focal_px) == (4, 360.0)


def test_people_stay_exactly_where_the_focal_length_does():
    frame = standing_person(300.0)
    final = refitted(frame, np.eye(4), 300.0, BodyModel.load(default_body_path()))
    for name in ("pose_axis_angle", "translation", "head_point", "betas"):
        np.testing.assert_array_equal(getattr(final, name), getattr(frame, name))


def test_a_body_that_reaches_behind_the_camera_is_only_moved_back():
    joints = np.array([[0.0, 0, 0.5], [0, 0, -0.2], [0.1, 0.4, 0.6]])
    turn, pelvis = moved_body(joints, 300.0, 330.0)
    np.testing.assert_array_equal(turn, np.eye(3))
    np.testing.assert_allclose(pelvis, [0, 0, 0.55])
