# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded model's camera: tracked by default, and worth seeing. On validation seeds that training skips."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import Frame
from engine.contract.settings import CaptureSettings
from engine.evaluation.camera_trajectory import absolute_trajectory_errors, root_mean_square
from engine.human3r_estimator import Human3RModel
from engine.model.weights import SMALL, load_named_model
from engine.pipeline import FramePipeline
from engine.synthetic.clips import make_clip
from engine.synthetic.settings import tier_settings
from engine.training.data import VALIDATION_SEEDS
from engine.video.picture import prepare_frame, tracking_picture
from engine.video.reading import PreparedFrame

FRAMES = 12
MOVING, STILL = VALIDATION_SEEDS[8], VALIDATION_SEEDS[0]
CAPTURE = CaptureSettings(
    source="clip", take="clip.h3r", voxel_size=0.0, reset_interval=5, model="small"
).with_camera_chosen()


@pytest.fixture(scope="module")
def model():
    if not SMALL.is_file():
        pytest.skip("no embedded checkpoint")
    return Human3RModel(load_named_model("small", torch.device("cpu")))


def cameras(model, seed, settings=CAPTURE):
    """Found and true poses (T, 4, 4) of the clip of a seed."""
    clip = make_clip(seed, replace(tier_settings("studio"), frames=FRAMES))
    picture_map = model.picture_map((128, 96))
    pipeline = FramePipeline(settings, model, BodyModel.load(default_body_path()), picture_map)
    found = []
    for number, rgb in enumerate(clip.rgb.numpy()):
        prepared = PreparedFrame(
            number, number / 15, prepare_frame(rgb, picture_map), tracking_picture(rgb, picture_map)
        )
        found += [
            message.world_from_camera
            for message in pipeline.finish(pipeline.predict(prepared))
            if isinstance(message, Frame)
        ]
    return np.stack(found), clip.poses_from_first().double().numpy()


def error(found, true):
    return root_mean_square(absolute_trajectory_errors(found, true))


def test_a_moving_camera_is_followed_over_resets(model):
    found, true = cameras(model, MOVING)
    network, _ = cameras(model, MOVING, replace(CAPTURE, camera="network"))
    still = np.tile(np.eye(4), (FRAMES, 1, 1))
    assert error(still, true) > 0.03
    assert error(found, true) < 0.35 * error(still, true)
    assert error(network, true) > 2 * error(found, true), "the setting makes the difference"
    steps, true_steps = (np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=-1) for poses in (found, true))
    assert 0.5 < np.median(steps) / np.median(true_steps) < 2, "in metres, as far as the predicted depth is"


def test_a_still_camera_stays_still(model):
    found, true = cameras(model, STILL)
    np.testing.assert_allclose(true, np.tile(np.eye(4), (FRAMES, 1, 1)), atol=1e-6)
    assert np.linalg.norm(found[:, :3, 3], axis=-1).max() < 0.003
