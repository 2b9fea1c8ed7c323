# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor from people who stand on it before a camera whose pitch and height are known."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.skeleton import LEFT_ANKLE, LEFT_FOOT, LEFT_HIP, LEFT_KNEE, NECK, PELVIS
from engine.landmarks.camera.floor import Floor, FloorEstimator, backdrop_behind, floor_from_people

from .standing_people import pitched, see


def joints_seen(depths: tuple[float, float], pitch: float, height: float, noise: float = 0.0) -> np.ndarray:
    """(40, 22, 3) people so far away; `noise` makes them lean (metres at the neck) and moves them along their rays."""
    dice = np.random.default_rng(3)
    places = np.stack([dice.uniform(-1, 1, 40), dice.uniform(*depths, 40)], axis=-1)
    marks = see(places, dice.uniform(0, 6, 40), 1000.0, pitch, height).landmarks
    joints = np.zeros((40, 22, 3))
    joints[:, PELVIS] = marks[:, 33]
    joints[:, NECK] = marks[:, 34] + noise * dice.normal(size=(40, 3))
    joints[:, LEFT_HIP : LEFT_HIP + 2], joints[:, LEFT_KNEE : LEFT_KNEE + 2] = marks[:, 23:25], marks[:, 25:27]
    joints[:, LEFT_ANKLE : LEFT_ANKLE + 2], joints[:, LEFT_FOOT : LEFT_FOOT + 2] = marks[:, 27:29], marks[:, 31:33]
    return joints * np.exp(0.3 * noise * dice.normal(size=(40, 1, 1)))


def tilt_deg(floor: Floor, pitch: float) -> float:
    up = pitched(pitch) @ np.array([0, -1, 0])
    return float(np.rad2deg(np.arccos(np.clip(floor.up @ up, -1, 1))))


@pytest.mark.parametrize("depths", [(4.0, 4.5), (3.0, 12.0)])
@pytest.mark.parametrize("pitch", [0.0, 0.3, 0.6])
def test_the_floor_is_found(depths: tuple[float, float], pitch: float) -> None:
    exact, noisy = (floor_from_people(joints_seen(depths, pitch, 2.2, noise)) for noise in (0.0, 0.08))
    assert exact is not None
    assert noisy is not None
    assert tilt_deg(exact, pitch) < 1.5
    assert exact.height == pytest.approx(2.2, abs=0.1)
    assert tilt_deg(noisy, pitch) < 3
    assert noisy.height == pytest.approx(2.2, abs=0.3)


def test_feet_at_many_distances_right_a_common_lean() -> None:
    joints = joints_seen((3.0, 12.0), 0.3, 2.2)
    joints[:, NECK, 2] += 0.12
    floor = floor_from_people(joints)
    assert floor is not None
    assert tilt_deg(floor, 0.3) < 1


def test_few_people_and_sitting_people_give_no_floor() -> None:
    joints = joints_seen((4.0, 5.0), 0.3, 2.2)
    assert floor_from_people(joints[:4]) is None
    joints[:, LEFT_KNEE : LEFT_KNEE + 2] = joints[:, LEFT_HIP : LEFT_HIP + 2] + (0, 0, -0.4)
    assert floor_from_people(joints) is None


def on_a_wall(joints: np.ndarray, pitch: float, height: float) -> np.ndarray:
    """The same people, standing so much higher."""
    return joints + height * (pitched(pitch) @ np.array([0.0, -1.0, 0.0]))


@pytest.mark.parametrize("above", [14, 30, 36])
def test_the_floor_is_the_lowest_level_however_many_stand_on_a_wall(above: int) -> None:
    for noise in (0.0, 0.03):
        joints = joints_seen((4.0, 5.0), 0.1, 2.2, noise)
        joints[:above] = on_a_wall(joints[:above], 0.1, 1.9)
        floor = floor_from_people(joints)
        assert floor is not None
        assert floor.height == pytest.approx(2.2, abs=0.05 + 2 * noise)


def test_people_in_the_air_and_a_few_false_low_feet_move_no_floor() -> None:
    joints = np.concatenate([joints_seen((4.0, 5.0), 0.1, 2.2)] * 3)
    dice = np.random.default_rng(5)
    for row in range(30):
        joints[row] = on_a_wall(joints[row : row + 1], 0.1, dice.uniform(0.3, 1.5))[0]
    joints[30:33] = on_a_wall(joints[30:33], 0.1, -0.8)
    floor = floor_from_people(joints)
    assert floor is not None
    assert floor.height == pytest.approx(2.2, abs=0.1)


def test_nobody_stands_deep_in_the_floor_where_people_disagree() -> None:
    joints = joints_seen((4.0, 5.0), 0.0, 2.2)
    joints[:6] = on_a_wall(joints[:6], 0.0, -0.15)
    floor = floor_from_people(joints)
    assert floor is not None
    lowest = (joints[:, LEFT_FOOT : LEFT_FOOT + 2] @ floor.up).min() + floor.height
    assert lowest > -0.1


def test_the_backdrop_is_behind_everybody_seen() -> None:
    joints = joints_seen((4.0, 5.0), 0.1, 2.2)
    joints[7] *= 4.0
    estimator = FloorEstimator()
    for frame in joints:
        estimator.update(frame[None], np.eye(4))
    assert estimator.backdrop_m() == backdrop_behind(joints)
    assert estimator.backdrop_m() > np.linalg.norm(joints, axis=-1).max()
    assert backdrop_behind(joints[:0]) >= 6.0


def test_streaming_gives_the_same_floor_and_a_copy_goes_its_own_way() -> None:
    joints = joints_seen((4.0, 5.0), 0.3, 2.2)
    estimator = FloorEstimator()
    for frame in joints[:20]:
        estimator.update(frame[None], np.eye(4))
    aside, restored = copy.copy(estimator), FloorEstimator()
    restored.restore_state(estimator.export_state())
    for frame in joints[20:]:
        aside.update(frame[None], np.eye(4))
        restored.update(frame[None], np.eye(4))
    whole, half = floor_from_people(joints), floor_from_people(joints[:20])
    for estimate, expected in ((aside, whole), (restored, whole), (estimator, half)):
        found = estimate.floor()
        assert found is not None
        assert expected is not None
        np.testing.assert_array_equal(found.up, expected.up)
        assert found.height == expected.height
    assert aside.backdrop_m() >= 6.0
    with pytest.raises(UserError, match="resume"):
        FloorEstimator().restore_state({"stances": np.zeros((2, 5))})


def test_a_camera_that_moves_sees_one_floor_of_the_world() -> None:
    """It walks two meters, rises and turns; the floor is where the first camera has it, also after a resume."""
    joints = joints_seen((4.0, 5.0), 0.3, 2.2)
    still, moving = FloorEstimator(), FloorEstimator()
    for number, frame in enumerate(joints):
        share = number / len(joints)
        pose = np.eye(4)
        pose[:3, :3] = axis_angle_to_matrix(np.array([0.1, 0.5, -0.1]) * share)
        pose[:3, 3] = np.array([2.0, -0.3, 1.0]) * share
        still.update(frame[None], np.eye(4))
        moving.update((frame[None] - pose[:3, 3]) @ pose[:3, :3], pose)
    expected, found = still.floor(), moving.floor()
    assert expected is not None
    assert found is not None
    np.testing.assert_allclose(found.up, expected.up, atol=1e-9)
    assert found.height == pytest.approx(expected.height, abs=1e-9)
