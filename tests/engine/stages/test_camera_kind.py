# SPDX-License-Identifier: GPL-3.0-or-later
"""How a camera moves, told online: rooms whose truth is known, and all that must not be taken for a motion."""

import functools
import random

import cv2
import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.evaluation.local_body import rotation_error_deg
from engine.stages.camera_kind import MOVING, STILL, TURNING, CameraKindTracker
from engine.stages.camera_tracking import CameraTracker
from engine.stages.place_depth import PlaceDepth
from tests.engine.stages.textured_room import pinhole, pose
from tests.engine.stages.textured_room import see as see_room
from tests.engine.stream.test_forged_states import forge
from tests.fuzzing import ROUNDS, survives

SIZE = (384, 216)
CAMERA = pinhole(SIZE, 400.0)
NOBODY = np.zeros(SIZE[::-1], bool)
STRIPES = np.random.default_rng(1).integers(0, 255, SIZE[::-1], dtype=np.uint8)
IDENTITY = np.eye(4)


@functools.cache
def seen_from(raw):
    return see_room(np.frombuffer(raw).reshape(4, 4), CAMERA, SIZE)


def see(world_from_camera):
    grey, depth = seen_from(np.asarray(world_from_camera, np.float64).tobytes())
    return grey.copy(), depth.copy()


class Follower:
    """A camera that is followed, with the true depth of where it is."""

    def __init__(self, camera=CAMERA):
        self.tracker, self.camera = CameraTracker(), camera
        self.kind = CameraKindTracker(self.tracker)
        self.asked = 0

    def show(self, grey, people=NOBODY, depth=None):
        def depth_at(_):
            self.asked += 1
            assert depth is not None
            return PlaceDepth(np.where(people, np.float32(np.nan), depth))

        return self.kind.update(grey, people, depth_at, self.camera)


def noisy(grey, number, sigma=2.0):
    noise = np.random.default_rng(number).normal(0, sigma, grey.shape)
    return (grey + noise).clip(0, 255).astype(np.uint8)


def look_along(path, change=lambda grey, number: grey, camera=CAMERA):
    """The poses and kinds found for a path of true poses."""
    follower = Follower(camera)
    poses, kinds = [], []
    for number, world_from_camera in enumerate(path):
        grey, depth = see(world_from_camera)
        poses.append(follower.show(change(grey, number), depth=depth))
        kinds.append(follower.kind.motion)
    return np.stack(poses), kinds


def panning(degrees, count=30):
    return [pose(yaw=degrees * p, pitch=0.15 * degrees * p) for p in np.linspace(0, 1, count)]


def dollying(count=16, m=0.6):
    return [pose((0.6 * m * p, 0, m * p)) for p in np.linspace(0, 1, count)]


def test_a_still_camera_has_one_pose_to_the_last_bit_and_depth_is_never_asked_for():
    """Under noise, a lamp that dims, a flash, and somebody in stripes who walks through a third of the picture."""
    grey, _ = see(pose())
    follower = Follower()
    for number in range(40):
        seen, people = noisy(grey * (1 + 0.3 * np.sin(number / 4)), number), NOBODY.copy()
        left = 9 * number
        seen[:, left : left + 130] = STRIPES[:, : max(0, min(130, SIZE[0] - left))]
        people[:, left : left + 130] = True
        if number in (9, 10):
            seen = (seen.astype(int) * 3 + 60).clip(0, 255).astype(np.uint8)
        np.testing.assert_array_equal(follower.show(seen, people), IDENTITY)
    assert follower.kind.motion == STILL
    assert follower.asked == 0


def test_somebody_before_the_lens_decides_nothing_and_what_moved_behind_them_is_seen_after():
    follower = Follower()
    for number in range(20):
        hidden, yaw = 5 <= number < 15, 0.5 if number >= 15 else 0.0
        grey = np.roll(STRIPES, 7 * number, axis=1) if hidden else noisy(see(pose(yaw=yaw))[0], number)
        found = follower.show(grey, NOBODY | hidden)
        if number < 15:
            np.testing.assert_array_equal(found, IDENTITY)
    assert follower.kind.motion == TURNING
    assert rotation_error_deg(found[None, :3, :3], pose(yaw=0.5)[None, :3, :3])[0] < 0.05


def test_a_knock_is_no_motion_and_a_slow_turn_is_one():
    """Both are as far as 3 pixels: the one for two pictures, the other for good."""
    knock = [pose(yaw=0.3 if number in (5, 6, 10) else 0.0) for number in range(14)]
    found, kinds = look_along(knock, noisy)
    assert set(kinds) == {STILL}
    np.testing.assert_array_equal(found, np.tile(IDENTITY, (14, 1, 1)))
    path = [pose(yaw=min(0.3, 0.03 * number)) for number in range(14)]
    found, kinds = look_along(path, noisy)
    assert kinds[3] == STILL
    assert kinds[-1] == TURNING
    assert rotation_error_deg(found[-1:, :3, :3], path[-1][None, :3, :3])[0] < 0.03


def test_people_that_are_missed_in_every_second_picture_are_left_out_in_both():
    """Somebody close up, who fills most of the picture and sways."""
    grey, _ = see(pose())
    follower = Follower()
    for number in range(16):
        seen, people = noisy(grey, number), NOBODY.copy()
        left = round(30 + 25 * np.sin(number))
        seen[:, left : left + 320] = STRIPES[:, :320]
        people[:, left - 4 : left + 324] = number % 2
        np.testing.assert_array_equal(follower.show(seen, people), IDENTITY)
    assert follower.kind.motion == STILL


def test_a_large_thing_that_moves_does_not_move_a_still_camera():
    """A car nobody knows of, with more corners than the plain place, drives from the middle of the picture."""
    grey, _ = see(pose())
    plain = cv2.GaussianBlur(grey, (0, 0), 1.2)
    follower = Follower()
    for number in range(20):
        seen = plain.copy()
        left = 90 + 4 * number
        seen[60:190, left : left + 170] = STRIPES[60:190, : max(0, min(170, SIZE[0] - left))]
        np.testing.assert_array_equal(follower.show(noisy(seen, number, 1.0)), IDENTITY)
    assert follower.kind.motion == STILL


@pytest.mark.parametrize("degrees", [4.0, 60.0], ids=["less than the picture", "farther than the picture"])
def test_a_camera_that_turns_has_no_translation(degrees):
    path = np.stack(panning(degrees))
    found, kinds = look_along(path, noisy)
    assert kinds[0] == STILL
    assert kinds[-1] == TURNING
    assert not found[:, :3, 3].any()
    assert rotation_error_deg(found[:, :3, :3], path[:, :3, :3]).max() < 0.5
    np.testing.assert_allclose(
        found[:, :3, :3] @ np.swapaxes(found[:, :3, :3], 1, 2), np.tile(np.eye(3), (30, 1, 1)), atol=1e-12
    )


@pytest.mark.parametrize("share", [0.75, 1.3])
def test_a_wrong_focal_length_makes_a_turn_no_motion(share):
    _, kinds = look_along(panning(50.0), noisy, pinhole(SIZE, 400.0 * share))
    assert kinds[-1] == TURNING


def test_a_camera_that_moves_is_followed_without_a_jump():
    path = np.stack([pose()] * 5 + dollying(24, 0.9))
    found, kinds = look_along(path, noisy)
    assert kinds[4] == STILL
    assert kinds[-1] == MOVING
    assert sorted(kinds, key=(STILL, TURNING, MOVING).index) == kinds
    np.testing.assert_array_equal(found[:5], np.tile(IDENTITY, (5, 1, 1)))
    steps = np.linalg.norm(np.diff(found[:, :3, 3], axis=0), axis=-1)
    true = np.linalg.norm(np.diff(path[:, :3, 3], axis=0), axis=-1)
    assert steps.max() < 4 * true.max()
    moved = found[-1, :3, 3] - found[kinds.index(MOVING), :3, 3]
    expected = path[-1, :3, 3] - path[kinds.index(MOVING), :3, 3]
    assert np.linalg.norm(moved - expected) < 0.15 * np.linalg.norm(expected)


def test_a_turn_that_becomes_a_motion_goes_on_from_its_pose():
    turn = panning(20.0, 16)
    walk = [turn[-1] @ pose((0.05 * n, 0, 0.05 * n)) for n in range(1, 20)]
    found, kinds = look_along([*turn, *walk], noisy)
    assert kinds[15] == TURNING
    assert kinds[-1] == MOVING
    begin = kinds.index(MOVING)
    np.testing.assert_allclose(found[begin, :3, 3], 0, atol=1e-12)
    assert rotation_error_deg(found[begin - 1 : begin, :3, :3], found[begin : begin + 1, :3, :3])[0] < 1.0
    assert np.linalg.norm(found[-1, :3, 3]) > 0.3


def with_logo(grey, _):
    marked = grey.copy()
    marked[12:60, 300:372] = STRIPES[12:60, 300:372]
    return marked


def test_a_logo_keeps_no_moving_camera_still_and_is_left_out():
    """More corners are on it than in the place, in a corner of the picture."""
    follower = Follower()
    path = panning(12.0, 20)
    for number, world_from_camera in enumerate(path):
        grey, depth = see(world_from_camera)
        found = follower.show(noisy(with_logo(grey, number), number, 1.0), depth=depth)
    assert follower.kind.motion == TURNING
    assert rotation_error_deg(found[None, :3, :3], path[-1][None, :3, :3])[0] < 0.5
    burnt_in = follower.kind.export_state()["burnt_in"]
    assert burnt_in[16:56, 304:368].mean() > 0.9
    burnt_in[0:80, 280:384] = False
    assert not burnt_in.any()


def test_a_cut_moves_nothing_and_the_place_after_it_counts():
    other = panning(8.0, 12)
    first = see(pose())[0]
    follower = Follower()
    for number in range(24):
        shown = STRIPES if 8 <= number < 10 else first
        if number >= 12:
            shown = cv2.flip(see(other[max(0, number - 17)])[0], -1)
        found = follower.show(noisy(shown, number))
        if number <= 17:
            np.testing.assert_array_equal(found, IDENTITY)
    assert follower.kind.motion == TURNING
    angle = rotation_error_deg(found[None, :3, :3], IDENTITY[None, :3, :3])[0]
    assert angle == pytest.approx(rotation_error_deg(other[6][None, :3, :3], IDENTITY[None, :3, :3])[0], abs=0.3)


def test_a_cut_is_no_motion_of_a_camera_that_turned():
    follower = Follower()
    for number, world_from_camera in enumerate(panning(10.0, 10)):
        before = follower.show(noisy(see(world_from_camera)[0], number))
    dice = np.random.default_rng(2)
    for _ in range(9):
        coarse = dice.integers(0, 255, (54, 96), dtype=np.uint8)
        shown = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
        np.testing.assert_array_equal(follower.show(shown), before)
    assert follower.kind.motion == TURNING


def test_a_film_that_fades_in_is_followed():
    path = [pose()] * 6 + panning(10.0, 14)
    dark = [min(1.0, n / 5) for n in range(20)]
    found, kinds = look_along(path, lambda grey, n: noisy(grey * dark[n], n, 1.0))
    assert kinds[5] == STILL
    assert kinds[-1] == TURNING
    assert rotation_error_deg(found[-1:, :3, :3], path[-1][None, :3, :3])[0] < 0.5


@pytest.mark.parametrize("path", [[pose()] * 12, panning(30.0, 12), dollying(12)], ids=[STILL, TURNING, MOVING])
def test_going_on_from_a_saved_state_changes_no_bit(path):
    frames = [see(world_from_camera) for world_from_camera in path]
    whole, expected = Follower(), []
    for grey, depth in frames:
        expected.append(whole.show(grey, depth=depth))
    for stop in (1, 3, 5, 9):
        first, second = Follower(), Follower()
        for grey, depth in frames[:stop]:
            first.show(grey, depth=depth)
        states = [{name: np.array(value) for name, value in part.export_state().items()}
                  for part in (first.kind, first.tracker)]  # fmt: skip
        for grey, depth in frames[stop:]:
            first.show(grey, depth=depth)  # what was exported is not touched
        second.kind.restore_state(states[0])
        second.tracker.restore_state(states[1])
        assert second.kind.fits(*SIZE) and not second.kind.fits(100, 50)
        for (grey, depth), right in zip(frames[stop:], expected[stop:], strict=True):
            np.testing.assert_array_equal(second.show(grey, depth=depth), right)
        assert second.kind.motion == whole.kind.motion


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_forged_states_are_refused_or_work():
    frames, dice, follower = (
        [see(world_from_camera) for world_from_camera in panning(3.0, 5)],
        random.Random(0),
        Follower(),
    )
    for grey, depth in frames[:4]:
        follower.show(grey, depth=depth)
    state = follower.kind.export_state()
    assert "anchor_picture" in state

    def go_on(forged):
        other = Follower()
        other.kind.restore_state(forged)
        if other.kind.fits(*SIZE):
            other.show(frames[4][0], depth=frames[4][1])

    assert survives(lambda: go_on(state), ())
    outcomes = []
    for number in range(60 * ROUNDS):
        name = list(state)[number % len(state)]
        forged = state | {name: forge(state[name], dice)}
        outcomes.append(survives(lambda forged=forged: go_on(forged), (UserError,)))
    assert outcomes.count(False) > len(outcomes) / 2, "most forgeries are seen"


@pytest.mark.parametrize(
    "forged",
    [
        {"motion": np.array(3)},
        {"world_from_camera": pose((1, 0, 0))},
        {"world_from_camera": pose(yaw=3)},
        {"people": np.zeros((2, 2), bool)},
        {"anchor_camera": np.zeros((3, 3))},
        {"fixed_for": np.zeros(3, np.int64)},
        {"anchor_last_pixel": np.full((1, 2), np.nan)},
        {"anchor_pixel": np.full((1, 2), 1e9)},
    ],
    ids=lambda forged: "-".join(forged),
)
def test_forged_states_are_refused(forged):
    follower = Follower()
    follower.show(see(pose())[0])
    with pytest.raises(UserError, match="resume-unreadable"):
        Follower().kind.restore_state(follower.kind.export_state() | forged)
