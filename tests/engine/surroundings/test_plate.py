# SPDX-License-Identifier: GPL-3.0-or-later
"""The photographed backdrop: the empty room, whoever walked through it, lying on the footage as the camera sees it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.surroundings.filling import filled
from tests.engine.stages.textured_room import pose
from tests.engine.surroundings.room_footage import FLOOR_M, FOCAL, PERSON, SIZE, RoomFootage, looked_at

FRAMES = 24
UP = np.array([0.0, -1.0, 0.0])


def still(**changed) -> RoomFootage:
    """Somebody walks through the frame from left to right."""
    poses = np.repeat(np.eye(4)[None], FRAMES, axis=0)
    across = [(20 + 280 * t, 140.0) for t in np.linspace(0, 1, FRAMES)]
    return replace(RoomFootage(poses, across), **changed)


def panning(degrees: float, pitch: float = 3.0) -> RoomFootage:
    """The camera follows somebody, who stays a little right of the middle half of the time and walks ahead then."""
    share = np.linspace(0, 1, FRAMES)
    poses = np.stack([pose(yaw=degrees * t, pitch=pitch) for t in share])
    return RoomFootage(poses, [(170 + 60 * np.sin(5 * t), 140.0) for t in share])


def laid_on(backdrop, world_from_camera, camera, picture):
    """What a frame shows at each pixel of the backdrop's picture, (h, w, 3), and (h, w) bool where it shows anything.

    Between the grid's rays there is what is between its vertices, as in Blender.
    """
    height, width = backdrop.picture.shape[:2]
    rows, columns = (count - 1 for count in backdrop.direction.shape[:2])
    x, y = np.meshgrid((np.arange(width) + 0.5) / width * columns, (np.arange(height) + 0.5) / height * rows)
    rays = cv2.remap(backdrop.direction, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    local = rays.astype(np.float64) @ world_from_camera[:3, :3]
    ahead = local[..., 2] > 0.05
    pixel = local[..., :2] / np.where(ahead, local[..., 2], 1)[..., None] * np.diag(camera)[:2] + camera[:2, 2]
    inside = ahead & ((pixel >= 0) & (pixel <= np.array(picture.shape[1::-1]) - 1)).all(axis=-1)
    column, row = np.moveaxis(np.where(inside[..., None], pixel, 0), -1, 0).astype(np.float32)
    return cv2.remap(picture, column, row, cv2.INTER_LINEAR), inside


def difference(first, second, blur=0.0):
    """(h, w) grey levels; blurred, resampling does not count, but a shift by a third of a pixel does."""
    pictures = [first.astype(float), second.astype(float)]
    if blur:
        pictures = [cv2.GaussianBlur(picture, (0, 0), blur) for picture in pictures]
    return np.abs(pictures[0] - pictures[1]).max(axis=-1)


def assert_lies_on(backdrop, footage, index):
    shown, inside = laid_on(backdrop, footage.poses[index], footage.camera, footage.empty(index))
    # As many pixels as the frame has, but for those that it shows denser at its edges, and its border.
    assert inside.sum() > 0.75 * SIZE[0] * SIZE[1]
    shown[~inside] = backdrop.picture[~inside]
    off = difference(shown, backdrop.picture, blur=1.5)[inside]
    assert off.mean() < 1.0 and np.percentile(off, 99) < 6


def test_a_still_plate_is_the_empty_room(tmp_path):
    footage = still()
    backdrop = looked_at(footage.write(tmp_path), footage.found("still")).backdrop
    assert backdrop.picture.shape == (240, 320, 3)
    assert difference(backdrop.picture, footage.empty(0)).max() <= 1


def test_it_is_so_in_a_footage_that_gets_brighter(tmp_path):
    footage = still(brightness=list(np.linspace(0.75, 1.0, FRAMES)))
    backdrop = looked_at(footage.write(tmp_path), footage.found("still")).backdrop
    ratio = backdrop.picture[..., 0] / footage.empty(0)[..., 0]
    dark = footage.empty(0)[..., 0] < 230  # what is clipped has no brightness to compare
    assert np.percentile(ratio[dark], 99) - np.percentile(ratio[dark], 1) < 0.05


def test_somebody_who_stays_is_filled_in_with_what_is_around(tmp_path):
    footage = still(person_at=[(160.0, 140.0)] * FRAMES)
    backdrop = looked_at(footage.write(tmp_path), footage.found("still")).backdrop
    off = difference(backdrop.picture, footage.empty(0))
    near = cv2.dilate(footage.person(0).astype(np.uint8), np.ones((17, 17))) > 0
    assert off[~near].max() <= 1
    inside = backdrop.picture[footage.person(0)].astype(float)
    around = footage.empty(0)[near & ~footage.person(0)]
    assert around.min() - 1 <= inside.min() and inside.max() <= around.max() + 1


def test_what_one_frame_alone_shows_does_not_count(tmp_path):
    footage = still(person_at=[(160.0, 140.0)] * FRAMES, overlooked=(10, 11, 12))
    backdrop = looked_at(footage.write(tmp_path), footage.found("still")).backdrop
    assert (difference(backdrop.picture, np.array(PERSON)) > 20).all()


def test_where_only_people_were_seen_there_is_no_backdrop(tmp_path):
    footage = still(person_at=[(160.0, 120.0)] * FRAMES, person_px=(640, 640))
    assert looked_at(footage.write(tmp_path), footage.found("still")).backdrop is None


def test_the_grid_of_a_still_camera_lies_on_the_footage(tmp_path):
    footage = still()
    backdrop = looked_at(footage.write(tmp_path), footage.found("still")).backdrop
    direction = backdrop.direction
    assert direction.shape == (73, 97, 3) and not backdrop.is_round
    np.testing.assert_allclose(np.linalg.norm(direction, axis=-1), 1, atol=1e-6)
    pixel = direction[..., :2] / direction[..., 2:] * FOCAL + footage.camera[:2, 2]
    np.testing.assert_allclose(pixel[0, 0], (-0.5, -0.5), atol=1e-3)
    np.testing.assert_allclose(pixel[-1, -1], (SIZE[0] - 0.5, SIZE[1] - 0.5), atol=1e-3)
    np.testing.assert_allclose(pixel[36, 48], (SIZE[0] / 2 - 0.5, SIZE[1] / 2 - 0.5), atol=1e-3)


def test_floor_and_card_are_those_of_the_path(tmp_path):
    footage = still()
    clip = footage.write(tmp_path)
    backdrop = looked_at(clip, footage.found("still")).backdrop
    np.testing.assert_array_equal(backdrop.center, 0)
    np.testing.assert_allclose(backdrop.up, UP)
    np.testing.assert_allclose(backdrop.forward, (0, 0, 1), atol=1e-9)
    assert backdrop.floor_height == FLOOR_M and backdrop.card_distance == 6.0
    low = looked_at(clip, footage.found("still", floor=False)).backdrop
    drop, level = -low.direction @ low.up, low.direction @ low.forward
    assert (drop / level * low.card_distance < low.floor_height).all()


@pytest.mark.parametrize("degrees", [50.0, -150.0])
def test_a_pan_is_stitched_and_lies_on_every_frame(tmp_path, degrees):
    footage = panning(degrees)
    backdrop = looked_at(footage.write(tmp_path), footage.found("turning")).backdrop
    assert backdrop.is_round
    for index in (0, FRAMES // 2, FRAMES - 1):
        assert_lies_on(backdrop, footage, index)


def test_a_full_turn_meets_itself(tmp_path):
    footage = panning(400.0)
    backdrop = looked_at(footage.write(tmp_path), footage.found("turning")).backdrop
    np.testing.assert_allclose(backdrop.direction[:, 0], backdrop.direction[:, -1], atol=1e-5)
    for index in (1, 9, 17, FRAMES - 1):
        assert_lies_on(backdrop, footage, index)


def test_without_a_backdrop_there_is_nothing_new(tmp_path):
    footage = still()
    found = looked_at(footage.write(tmp_path), footage.found("still"), with_backdrop=False)
    assert found.views is None and found.backdrop is None


def test_large_holes_are_filled_like_small_ones():
    ramp = np.repeat(np.linspace(40, 200, 900).astype(np.uint8)[None, :, None], 700, axis=0).repeat(3, axis=2)
    hole = np.zeros((700, 900), bool)
    hole[101:600, 201:700] = True
    result = filled(np.where(hole[..., None], np.uint8(255), ramp), hole)
    np.testing.assert_array_equal(result[~hole], ramp[~hole])
    assert result[hole].min() > 60 and result[hole].max() < 190


def test_a_floor_above_the_camera_is_none(tmp_path):
    """Such as people tell who hang or jump: everything would lie on it like a ceiling."""
    footage = still()
    found = footage.found("still")
    found = replace(found, path=replace(found.path, floor_height=-0.3))
    backdrop = looked_at(footage.write(tmp_path), found).backdrop
    assert backdrop.floor_height >= 1.0
