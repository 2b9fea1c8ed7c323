# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pass does with footage and takes that are not what they were, or never were quite right."""

import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.camera_pass.clip import Clip
from engine.camera_pass.following_camera import follow_camera
from engine.camera_pass.found import FoundCamera
from engine.camera_pass.observations import Observations, Seen
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.contract.message_records import encode
from engine.contract.messages import FocalLength
from engine.contract.take import TakeReader
from tests.engine.camera_pass.filmed_takes import FOCAL_PX, empty_frame, film, write_take
from tests.engine.stages.textured_room import pose

FRAMES = 14


def followed(take: Path, focal: FocalLength | None = None) -> FoundCamera:
    with TakeReader(take) as reader:
        clip = Clip(take, reader.header.settings, BodyModel.load(default_body_path()))
    steps = follow_camera(clip, focal)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def moving(index: int) -> np.ndarray:
    return pose((0.06 * index, 0.0, 0.02 * index), yaw=-0.3 * index)


@pytest.mark.parametrize("left", [0, 5])
def test_a_path_is_kept_of_which_too_little_footage_is_left(tmp_path, left):
    """Pictures that are gone say nothing, least of all that the camera stood still."""
    footage = film(tmp_path / "footage", np.repeat(np.eye(4)[None], max(left, 1), axis=0))
    first = 0 if left else 1
    frames = [replace(empty_frame(n, moving(n)), source_frame=first + n) for n in range(FRAMES)]
    take = write_take(tmp_path / "take.h3r", footage, frames)
    found = followed(take)
    assert (found.summary.refined, found.summary.note) == (False, "lost")
    np.testing.assert_array_equal(found.path.world_from_camera, [frame.world_from_camera for frame in frames])


def test_poses_that_are_no_numbers_are_passed_over(tmp_path):
    footage = film(tmp_path / "footage", np.array([moving(index) for index in range(FRAMES)]))
    live = [moving(index) for index in range(FRAMES)]
    live[3] = np.full((4, 4), np.nan)
    found = followed(write_take(tmp_path / "take.h3r", footage, [empty_frame(n, way) for n, way in enumerate(live)]))
    assert np.isfinite(found.path.world_from_camera).all()
    encode(found.summary)


@pytest.mark.parametrize("known", [0.7, 1.4])
def test_a_focal_length_that_is_given_wrongly_makes_no_motion_of_a_turn(tmp_path, known):
    """It stays, and with it go the turns that put corners where they are seen."""
    yaw = 0.9
    footage = film(tmp_path / "footage", np.array([pose(yaw=yaw * index) for index in range(FRAMES)]))
    take = write_take(tmp_path / "take.h3r", footage, [empty_frame(n, np.eye(4)) for n in range(FRAMES)])
    found = followed(take, FocalLength(known * FOCAL_PX, 0.0, "given"))
    assert found.summary.motion == "turning"
    focal_px = (found.path.focal or FocalLength(known * FOCAL_PX, 0.0, "given")).focal_px
    last = found.path.world_from_camera[-1]
    seen_px, shown_px = FOCAL_PX * np.tan(np.radians(yaw * (FRAMES - 1))), focal_px * last[0, 2] / last[2, 2]
    assert abs(shown_px / seen_px - 1) < 0.05


def test_a_full_disk_is_told_and_leaves_nothing_open():
    corners = Seen(np.arange(500), np.zeros((500, 2)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, before[1]))
    try:
        with pytest.raises(UserError) as error, Observations() as seen:
            for _ in range(100):
                seen.add(corners)
            seen.frame(0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.code == "disk-full" and "temporary" in error.value.remedy
