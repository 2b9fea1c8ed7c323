# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pass keeps of a take's frames does not keep their records, whose masks are large, in memory."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from engine.camera_pass.clip import Clip
from engine.camera_pass.following_camera import follow_camera
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import FinalFrame, pack_mask
from engine.contract.take import TakeReader
from engine.estimate import CameraPath
from engine.refinement import refit_people
from tests.engine.camera_pass.filmed_takes import empty_frame, film, write_take
from tests.engine.stages.textured_room import pose

FRAMES, MASK = 64, np.zeros((1024, 1024), bool)
MASKS_BYTES = FRAMES * MASK.size // 8


@pytest.fixture
def clip(tmp_path):
    footage = film(tmp_path / "footage", np.repeat(np.eye(4)[None], 2, axis=0))
    large = {"mask_size": MASK.shape, "mask_bits": pack_mask(MASK)}
    frames = [replace(empty_frame(index, pose((0.01 * index, 0, 0))), **large) for index in range(FRAMES)]
    take = write_take(tmp_path / "take.h3r", footage, frames)
    with TakeReader(take) as reader:
        settings = reader.header.settings
    return Clip(take, settings, BodyModel.load(default_body_path()))


def test_the_live_path_is_kept_without_the_masks_beside_it(clip):
    steps = follow_camera(clip)
    tracemalloc.start()
    try:
        while next(steps) == 0.0:
            pass
        assert tracemalloc.get_traced_memory()[1] < MASKS_BYTES / 2
    finally:
        tracemalloc.stop()
        steps.close()


def test_people_fitted_again_are_kept_without_the_masks_beside_them(clip):
    steps = refit_people(clip)(CameraPath(np.repeat(np.eye(4)[None], FRAMES, axis=0), "still"))
    tracemalloc.start()
    try:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found = end.value
                break
        assert sum(isinstance(message, FinalFrame) for message in found.messages) == FRAMES - 1
        assert tracemalloc.get_traced_memory()[0] < MASKS_BYTES / 2
    finally:
        tracemalloc.stop()
