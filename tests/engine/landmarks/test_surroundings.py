# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth of a floor and a round wall: known answers, and the same place from every pose of a camera."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contract.rotations import axis_angle_to_matrix
from engine.landmarks.camera.floor import Floor
from engine.landmarks.camera.surroundings import Surroundings
from engine.landmarks.observations import Pinhole

from .standing_people import SIZE, pitched

CAMERA = Pinhole(1000.0, (np.array(SIZE) - 1) / 2)
UP = pitched(0.2) @ np.array([0.0, -1.0, 0.0])
PLACE = Surroundings(Floor(UP, 1.8), 9.0, np.zeros(3))


def points(place: Surroundings, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) in the place's frame, and (H, W) what is floor."""
    depth, is_floor = place.depth(CAMERA, SIZE, pose)
    assert depth.shape == SIZE[::-1] and depth.dtype == np.float32
    y, x = np.indices(depth.shape)
    rays = np.stack([(x - 639.5) / 1000, (y - 359.5) / 1000, np.ones(depth.shape)], axis=-1)
    return (rays * depth[..., None]) @ pose[:3, :3].T + pose[:3, 3], is_floor


def pose(turn: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = axis_angle_to_matrix(np.array(turn)), shift
    return made


@pytest.mark.parametrize("camera", [np.eye(4), pose((0, 1.0, 0.1), (0, 0, 0)), pose((0.1, -0.5, 0), (1.0, -0.5, 2.0))])
def test_every_pose_sees_the_same_floor_and_the_same_upright_wall(camera: np.ndarray) -> None:
    found, is_floor = points(PLACE, camera)
    assert 0.05 < is_floor.mean() < 0.95
    assert np.abs(found[is_floor] @ UP + 1.8).max() < 1e-3
    wall = found[~is_floor]
    level = wall - (wall @ UP)[:, None] * UP
    assert np.abs(np.linalg.norm(level, axis=-1) - 9.0).max() < 1e-2
    assert (wall @ UP).min() > -1.8 - 1e-3


def test_without_a_floor_there_is_the_wall_alone() -> None:
    found, is_floor = points(Surroundings(None, 7.0, np.zeros(3)), np.eye(4))
    assert not is_floor.any()
    np.testing.assert_allclose(np.linalg.norm(found[..., [0, 2]], axis=-1), 7.0, atol=1e-3)


def test_a_camera_that_looks_straight_up_sees_something_near() -> None:
    depth, _ = PLACE.depth(CAMERA, SIZE, pose((np.pi / 2, 0, 0), (0, 0, 0)))
    assert np.isfinite(depth).all() and depth.min() > 0 and depth.max() < 50
