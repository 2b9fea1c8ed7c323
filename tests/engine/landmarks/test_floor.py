# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor from people who stand on it before a camera whose pitch and height are known."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.contract.skeleton import LEFT_ANKLE, LEFT_HIP, LEFT_KNEE, NECK, PELVIS
from engine.landmarks.camera.floor import Floor, FloorEstimator, depth_of_surroundings, floor_from_people
from engine.landmarks.observations import Pinhole

from .standing_people import SIZE, pitched, see


def joints_seen(depths: tuple[float, float], pitch: float, height: float, noise: float = 0.0) -> np.ndarray:
    """(40, 22, 3) people so far away; `noise` makes them lean (metres at the neck) and moves them along their rays."""
    dice = np.random.default_rng(3)
    places = np.stack([dice.uniform(-1, 1, 40), dice.uniform(*depths, 40)], axis=-1)
    marks = see(places, dice.uniform(0, 6, 40), 1000.0, pitch, height).landmarks
    joints = np.zeros((40, 22, 3))
    joints[:, PELVIS] = marks[:, 33]
    joints[:, NECK] = marks[:, 34] + noise * dice.normal(size=(40, 3))
    joints[:, LEFT_HIP : LEFT_HIP + 2], joints[:, LEFT_KNEE : LEFT_KNEE + 2] = marks[:, 23:25], marks[:, 25:27]
    joints[:, LEFT_ANKLE : LEFT_ANKLE + 2] = marks[:, 27:29]
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


def test_depth_of_the_surroundings_is_that_of_the_plane_and_ends_at_the_backdrop() -> None:
    floor = Floor(pitched(0.2) @ np.array([0.0, -1.0, 0.0]), 1.8)
    camera = Pinhole(1000.0, (np.array(SIZE) - 1) / 2)
    depth = depth_of_surroundings(floor, camera, SIZE, 9.0)
    assert depth.shape == (720, 1280)
    assert depth.dtype == np.float32
    assert depth.max() == 9.0
    y, x = 700, 300
    ray = np.array([(x - 639.5) / 1000, (y - 359.5) / 1000, 1.0])
    assert floor.up @ (ray * depth[y, x]) == pytest.approx(-1.8, abs=1e-4)
    assert (depth_of_surroundings(None, camera, SIZE, 9.0) == 9.0).all()


def test_streaming_gives_the_same_floor_and_a_copy_goes_its_own_way() -> None:
    joints = joints_seen((4.0, 5.0), 0.3, 2.2)
    estimator = FloorEstimator()
    for frame in joints[:20]:
        estimator.update(frame[None])
    aside, restored = copy.copy(estimator), FloorEstimator()
    restored.restore_state(estimator.export_state())
    for frame in joints[20:]:
        aside.update(frame[None])
        restored.update(frame[None])
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
