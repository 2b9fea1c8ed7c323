# SPDX-License-Identifier: GPL-3.0-or-later
"""Where people are in scaled frames: masks that cover part of the footage, bones, and masks that come late."""

import numpy as np

from engine.camera_pass.scaling import Scaling
from engine.contract.messages import pack_mask
from engine.surroundings.people import people_seen
from tests.engine.surroundings.room_footage import RoomFootage

FRAMES = 8


def footage(**changed) -> RoomFootage:
    return RoomFootage(
        np.repeat(np.eye(4)[None], FRAMES, axis=0), [(60.0 + 25 * k, 120.0) for k in range(FRAMES)], **changed
    )


def outcome(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_mask_that_comes_a_frame_late_covers_people_nevertheless(tmp_path):
    late = footage(lag=1)
    scaling = Scaling.to_long_side(late.size, 640)
    seen = outcome(people_seen(late.write(tmp_path), range(FRAMES), scaling, FRAMES, None))
    for index in range(1, FRAMES - 1):
        assert seen.mask(index)[late.person(index)].all()
    assert not seen.mask(1)[late.person(5)].any()


def test_focal_length_and_distances(tmp_path):
    clip = footage().write(tmp_path)
    seen = outcome(people_seen(clip, (), Scaling.to_long_side(clip.footage_size, 640), FRAMES, None))
    assert seen.focal_px == 0.9 * 260 and seen.typical_m == 0 and not seen.farthest.any()


def test_a_mask_of_part_of_the_footage_lies_where_it_belongs(tmp_path):
    clip = footage().write(tmp_path)
    frame = next(clip.frames())
    mask = np.zeros((30, 50), bool)
    mask[12:16, 20:28] = True
    box = (39.5, 59.5, 239.5, 179.5)  # 4 x 4 pixels of the footage for each of the mask
    changed = {**vars(frame), "mask_size": (50, 30), "mask_box_px": box, "mask_bits": pack_mask(mask)}
    for long_side in (320, 160):
        scaling = Scaling.to_long_side((320, 240), long_side)
        rows, columns = np.nonzero(scaling.people(type(frame)(**changed), np.zeros((0, 55, 3))))
        middle = (np.array([columns.mean(), rows.mean()]) + 0.5) / scaling.share
        # In edges: 40 + 4 * 24 and 60 + 4 * 14.
        np.testing.assert_allclose(middle, (136, 116), atol=0.3)


def test_bones_count_where_the_mask_is_blind(tmp_path):
    clip = footage().write(tmp_path)
    frame = next(clip.frames())
    scaling = Scaling.to_long_side((320, 240), 320)
    joints = np.broadcast_to(np.array([0.5, 0.0, 3.0]), (1, 55, 3))
    column = round(0.5 / 3 * frame.focal_px + 160)
    assert not scaling.people(frame, np.zeros((0, 55, 3)))[120, column]
    assert scaling.people(frame, joints)[120, column]


def test_a_camera_scaled_sees_the_same_rays():
    scaling = Scaling.to_long_side((1919, 1081), 640)
    camera = scaling.camera(1500.0, np.array([958.0, 541.0]))
    pixel = np.array([300.0, 900.0])
    small = (pixel + 0.5) * scaling.share - 0.5
    np.testing.assert_allclose((small - camera[:2, 2]) / np.diag(camera)[:2], (pixel - (958, 541)) / 1500, atol=1e-9)


def test_people_are_farther_by_as_much_as_the_focal_length_is_longer(tmp_path):
    scene = footage(people_at=[(0.5, 0.3, 4.0)])
    clip = scene.write(tmp_path)
    scaling = Scaling.to_long_side(scene.size, 640)
    as_placed, longer = (outcome(people_seen(clip, (), scaling, FRAMES, focal)) for focal in (None, 2 * 0.9 * 260))
    assert 3.5 < as_placed.typical_m < 4.5
    np.testing.assert_allclose(longer.farthest[2], 2 * as_placed.farthest[2], rtol=1e-6)
    assert longer.typical_m > 1.9 * as_placed.typical_m
