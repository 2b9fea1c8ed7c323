# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of what a moving camera saw: they are where things are, none under the floor, and none of people."""

from dataclasses import replace

import numpy as np
import pytest

from engine.camera_pass.clip import Clip
from engine.contract.take import TakeReader
from engine.surroundings.choosing import MOST_REFERENCES, partners, references, spread
from engine.surroundings.views import on_floor
from tests.engine.stages.textured_room import pose
from tests.engine.surroundings.room_footage import FLOOR_M, PERSON, RoomFootage, looked_at

FRAMES = 30


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A camera goes half a meter sideways and turns a little; somebody crosses the frame the other way."""
    along = np.linspace(0, 1, FRAMES)
    poses = np.stack([pose((0.5 * t, 0.05 * np.sin(6 * t), 0.1 * t), yaw=-6 * t) for t in along])
    footage = RoomFootage(poses, [(250 - 180 * t, 140.0) for t in along])
    clip = footage.write(tmp_path_factory.mktemp("walk"))
    found = footage.found("moving")
    return footage, clip, found, looked_at(clip, found)


def index_of(footage, view):
    return int(np.abs(footage.poses - view.world_from_camera).sum(axis=(1, 2)).argmin())


def test_things_are_where_they_are(seen):
    footage, _, _, result = seen
    assert result.backdrop is None and 8 <= len(result.views) <= MOST_REFERENCES
    errors, covered = [], []
    for view in result.views:
        index = index_of(footage, view)
        true, place = footage.depth(index), ~footage.person(index)
        known = (view.confidence > 0) & place
        errors.append(np.abs(view.points[..., 2][known] / true[known] - 1))
        covered.append(known.sum() / place.sum())
    assert np.concatenate(errors).mean() < 0.05
    assert np.mean(covered) > 0.7


def test_points_lie_on_the_rays_of_their_pixels(seen):
    footage, _, _, result = seen
    view = result.views[3]
    row, column = np.argwhere(view.confidence > 1.5)[1000]
    x, y, z = view.points[row, column]
    camera = footage.camera
    np.testing.assert_allclose((x / z * 260 + camera[0, 2], y / z * 260 + camera[1, 2]), (column, row), atol=0.01)


def test_nothing_lies_under_the_floor(seen):
    _, _, found, result = seen
    for view in result.views:
        points = view.points[view.confidence > 0] @ view.world_from_camera[:3, :3].T + view.world_from_camera[:3, 3]
        assert (points @ found.path.up).min() > -FLOOR_M - 0.001


def test_nobody_is_among_the_points(seen):
    footage, _, _, result = seen
    for view in result.views:
        assert not (view.confidence[footage.person(index_of(footage, view))] > 0).any()
        colors = view.rgb[(view.confidence > 0) & ~view.people_mask].astype(int)
        assert (np.abs(colors - PERSON).sum(axis=-1) > 20).all()


def test_pictures_that_are_missing_at_the_end_cost_only_what_needs_them(seen):
    footage, clip, found, result = seen
    with TakeReader(clip.take) as reader:
        settings = replace(reader.header.settings, end=FRAMES - 1)
    shorter = looked_at(Clip(clip.take, settings, clip.body_model), found)
    indices = [[index_of(footage, view) for view in views] for views in (shorter.views, result.views)]
    assert indices[0] == [index for index in indices[1] if index != FRAMES - 1]


def test_a_path_that_was_not_refined_leaves_the_points_of_the_model(seen):
    footage, clip, _, _ = seen
    assert looked_at(clip, footage.found("moving", refined=False)).views is None


def test_a_path_that_is_wrong_gives_no_points(seen):
    footage, clip, found, _ = seen
    wrong = np.array(footage.poses)
    wrong[:, :3, 3] *= -1
    path = replace(found.path, world_from_camera=wrong)
    assert looked_at(clip, replace(found, path=path)).views is None


def test_without_parallax_there_are_no_points(seen):
    footage, clip, found, _ = seen
    on_the_spot = np.array(footage.poses)
    on_the_spot[:, :3, 3] *= 1e-3
    path = replace(found.path, world_from_camera=on_the_spot)
    assert looked_at(clip, replace(found, path=path)).views is None


def test_a_floor_that_is_seen_but_not_known_is_filled_and_things_on_it_are_not():
    floor = np.full((20, 20), 4.0, np.float32)
    depth = floor + 0.0
    depth[:, :8] = 2.0  # a thing on the floor
    depth[5:8, 3:5] = 0.0  # of which something is unknown
    depth[5:8, 14:18] = 0.0  # as is of the floor
    depth[0, 19] = 5.0  # and something seems to lie under it
    filled, confidence = on_floor(depth, np.where(depth > 0, np.float32(3), np.float32(0)), floor)
    assert (filled[5:8, 14:18] == 4).all() and (confidence[5:8, 14:18] < 3).all()
    assert (filled[5:8, 3:5] == 0).all()
    assert filled[0, 19] == 4


def test_no_floor_is_filled_farther_away_than_floor_was_found():
    floor = np.repeat(np.linspace(8, 2, 20, dtype=np.float32)[:, None], 20, axis=1)
    depth = floor + 0.0
    depth[:10] = 0.0  # a plain wall, whose foot is at the tenth row
    filled, _ = on_floor(depth, np.zeros_like(depth), floor)
    assert (filled[:10] == 0).all()


def test_frames_are_spread_over_the_way_and_not_over_time():
    steps = np.concatenate([np.zeros(50), np.full(50, 0.1), np.zeros(50)])
    chosen = spread(steps, 6)
    assert chosen[0] == 0 and chosen[-1] == 150
    assert all(45 < index < 105 for index in chosen[1:-1])
    assert spread(np.zeros(3), 9) == [0, 1, 2, 3]


@pytest.mark.parametrize("frames", [40, 400])
def test_partners_are_chosen_by_angle_at_any_frame_rate(frames):
    poses = np.stack([pose((2.0 * t, 0, 0)) for t in np.linspace(0, 1, frames)])
    middle = frames // 2
    found = partners(middle, poses, 8.0)
    assert len(found) == 6
    angle = np.degrees(np.arctan(np.abs(poses[found, 0, 3] - poses[middle, 0, 3]) / 8.0))
    np.testing.assert_allclose(sorted(angle), [1, 1, 2, 2, 3.5, 3.5], atol=0.5)


def test_nobody_looks_at_partners_that_are_turned_away():
    poses = np.stack([pose((0.02 * k, 0, 0), yaw=9.0 * k) for k in range(30)])
    assert all(abs(index - 10) <= 2 for index in partners(10, poses, 5.0))


def test_references_are_few_on_a_short_way_and_no_more_than_the_most_on_a_long_one():
    short = np.stack([pose((0.01 * k, 0, 0)) for k in range(100)])
    long = np.stack([pose((0.2 * k, 0, 0)) for k in range(100)])
    assert len(references(short, 5.0)) == 8 and len(references(long, 5.0)) == MOST_REFERENCES
