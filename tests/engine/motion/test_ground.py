# SPDX-License-Identifier: GPL-3.0-or-later
"""Up and the floor: on synthetic places with noise, without points, without people, with people who sit or lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from engine.contract.rotations import axis_angle_to_matrix
from engine.motion.ground import estimate_ground
from engine.synthetic.clips import make_clips
from engine.synthetic.settings import TIERS

from . import people

CLIPS, FRAMES = 8, 5


@dataclass(frozen=True)
class Place:
    """A clip's truth with noise, in the take's world: the first camera's frame."""

    points: np.ndarray
    cameras: np.ndarray
    joints: np.ndarray
    up: np.ndarray
    height: float


@cache
def places(tier: str) -> tuple[Place, ...]:
    settings = replace(TIERS[tier], frames=FRAMES, frame_gap=(10, 20), size=(128, 96))
    clips = make_clips(range(900_000, 900_000 + CLIPS), settings)
    random = np.random.default_rng(0)
    result = []
    for clip in range(CLIPS):
        pose = clips.world_from_camera[clip].double().numpy()
        cameras = np.linalg.inv(pose[0]) @ pose
        points, joints = [], []
        for frame in range(FRAMES):
            turn, shift = cameras[frame, :3, :3], cameras[frame, :3, 3]
            depth = clips.depth[clip, frame].double().numpy()
            v, u = np.indices(depth.shape)
            seen = (depth > 0) & (depth < 15) & (clips.instance[clip, frame].numpy() == 0)
            rays = np.stack([u, v], axis=-1) - clips.principal_point_px[clip].numpy()
            rays = np.concatenate([rays / float(clips.focal_px[clip]), np.ones((*depth.shape, 1))], axis=-1)
            noisy = (rays * depth[..., None])[seen] * (1 + 0.02 * random.normal(size=(seen.sum(), 1)))
            points.append((noisy + 0.01 * random.normal(size=noisy.shape)) @ turn.T + shift)
            present = clips.joints[clip, frame][clips.present[clip]].double().numpy()
            joints.append((present + 0.03 * random.normal(size=(len(present), 1, 3))) @ turn.T + shift)
        up = pose[0, :3, :3].T @ people.UP
        cloud = np.concatenate(points)
        _, thinned = np.unique(np.floor(cloud / 0.05).astype(np.int64), axis=0, return_index=True)
        # The first camera is at the origin; its height above the floor is minus its world y.
        result.append(Place(cloud[thinned], cameras, np.concatenate(joints), up, float(pose[0, 1, 3])))
    return tuple(result)


def errors(place: Place, points: np.ndarray, joints: np.ndarray) -> tuple[float, float]:
    """Degrees of tilt, and metres of height where the people are."""
    ground = estimate_ground(points, place.cameras, joints)
    middle = place.joints.mean(axis=(0, 1))
    tilt = np.rad2deg(np.arccos(np.clip(ground.up @ place.up, -1, 1)))
    return tilt, abs(ground.heights(middle) - (middle @ place.up - place.height))


@pytest.mark.parametrize("tier", ["studio", "room", "street"])
@pytest.mark.parametrize("known", ["all", "points", "people"])
def test_median_errors_are_under_two_degrees_and_three_centimetres(tier: str, known: str) -> None:
    found = [
        errors(
            place,
            place.points if known != "people" else place.points[:0],
            place.joints if known != "points" else place.joints[:0],
        )
        for place in places(tier)
    ]
    tilt, height = np.median(found, axis=0)
    assert tilt < 2 and height < 0.03
    assert max(error[0] for error in found) < 6


def test_a_sofa_in_front_is_not_the_floor() -> None:
    """Level surfaces above the floor, more of them than of it, and people who stand on the floor."""
    random = np.random.default_rng(1)
    place = places("room")[0]
    floor = place.height
    side = np.linalg.svd(place.up[None])[2][1:]
    table = random.uniform(-1.5, 1.5, (6000, 2)) @ side + (floor + 0.7) * place.up + [0, 0, 3]
    table -= ((table @ place.up) - floor - 0.7)[:, None] * place.up
    tilt, height = errors(place, np.concatenate([place.points, table]), place.joints)
    assert tilt < 2 and height < 0.03


@pytest.mark.parametrize("with_points", [True, False])
def test_people_on_a_wall_do_not_raise_the_floor(with_points: bool) -> None:
    """Most people stand 1.9 m above the floor, in the points a level surface of its own."""
    random = np.random.default_rng(4)
    place = places("room")[0]
    side = np.linalg.svd(place.up[None])[2][1:]
    on_wall = np.concatenate([place.joints + 1.9 * place.up] * 3)
    wall = random.uniform(-1.5, 1.5, (4000, 2)) @ side
    wall += (place.height + 1.9 - wall @ place.up)[:, None] * place.up
    points = np.concatenate([place.points, wall]) if with_points else place.points[:0]
    tilt, height = errors(place, points, np.concatenate([place.joints, on_wall]))
    assert tilt < 2 and height < 0.03


def test_people_who_lie_do_not_turn_the_world_over() -> None:
    place = places("room")[1]
    across = np.cross(place.up, [0.0, 0.0, 1.0])
    quarter = axis_angle_to_matrix(np.pi / 2 * across / np.linalg.norm(across))
    middle = place.joints.mean(axis=1, keepdims=True)
    lying = (place.joints - middle) @ quarter.T + middle - 0.75 * place.up
    tilt, height = errors(place, place.points, lying)
    assert tilt < 2 and height < 0.03
    assert errors(place, place.points[:0], lying)[0] < 45  # nothing but the cameras speaks for up


def test_the_answer_turns_with_the_world() -> None:
    place = places("studio")[0]
    turn = axis_angle_to_matrix(np.array([0.2, -0.3, 0.1]))
    cameras = place.cameras.copy()
    cameras[:, :3] = turn @ place.cameras[:, :3]
    one = estimate_ground(place.points, place.cameras, place.joints)
    other = estimate_ground(place.points @ turn.T, cameras, place.joints @ turn.T)
    assert np.rad2deg(np.arccos(np.clip(turn @ one.up @ other.up, -1, 1))) < 0.3
    assert other.height == pytest.approx(one.height, abs=0.02)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_with_next_to_nothing_the_cameras_say_what_is_up(count: int) -> None:
    random = np.random.default_rng(2)
    ground = estimate_ground(random.normal(size=(count, 3)), np.eye(4)[None], np.zeros((0, 55, 3)))
    assert np.allclose(ground.up, people.UP, atol=0.01)
    assert ground.source == ("lowest points" if count else "cameras") and np.isfinite(ground.height)
