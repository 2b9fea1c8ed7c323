# SPDX-License-Identifier: GPL-3.0-or-later
"""Chunks, replays, and going on where another rollout stopped."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from engine.contract.errors import UserError
from engine.geometry.rigid import matrix_from_pose
from engine.model.human3r import Human3R
from engine.model.prediction import StepOptions
from engine.model.recipe_weights import Recipe
from engine.model.rollout import ChunkedRollout, RolloutSettings
from tests.engine.golden import recipe_model
from tests.engine.model.test_properties import CONFIG, pictures

FRAMES = pictures(9, 3, 48, 64, seed=21)


@pytest.fixture(scope="module")
def model() -> Human3R:
    return recipe_model(CONFIG, Recipe(theta=0.0), for_inference=True)


def rolled(model: Human3R, interval: int) -> list:
    rollout = ChunkedRollout(model, RolloutSettings(interval))
    return [frame for image in FRAMES for frame in rollout.push(image)]


def test_every_frame_is_emitted_once_and_chunk_ends_are_replayed(model: Human3R) -> None:
    order = [(frame.index, frame.emitted) for frame in rolled(model, 3)]
    assert order == [
        (0, True),
        (1, True),
        (2, True),
        (2, False),
        (3, True),
        (4, True),
        (5, True),
        (5, False),
        (6, True),
        (7, True),
        (8, True),
    ]
    assert [frame.emitted for frame in rolled(model, 0)] == [True] * 9


def test_a_chunk_is_a_rollout_of_its_own_from_the_frame_before(model: Human3R) -> None:
    chunked = rolled(model, 3)
    rollout = ChunkedRollout(model, RolloutSettings(0))
    alone = [frame for image in FRAMES[2:6] for frame in rollout.push(image)]
    base = chunked[2].world_from_camera
    for frame, single in zip(chunked[4:7], alone[1:], strict=True):
        assert torch.equal(frame.prediction.points_self, single.prediction.points_self)
        np.testing.assert_allclose(frame.world_from_camera, base @ single.world_from_camera)


def test_the_replay_does_not_move_the_camera(model: Human3R) -> None:
    frames = rolled(model, 3)
    assert not frames[3].emitted
    np.testing.assert_array_equal(frames[3].world_from_camera, frames[2].world_from_camera)


@pytest.mark.parametrize("stop", range(1, 9))
def test_going_on_elsewhere_gives_identical_results(model: Human3R, stop: int) -> None:
    settings = RolloutSettings(3)
    first, second = ChunkedRollout(model, settings), ChunkedRollout(model, settings)
    before = [frame for image in FRAMES[:stop] for frame in first.push(image)]
    exported = first.export_state()
    assert all(isinstance(value, np.ndarray) for value in exported.values())
    assert ("tokens" not in exported) is (stop % 3 == 0), "small at the boundary of a chunk"
    second.restore_state(exported)
    after = [frame for image in FRAMES[stop:] for frame in second.push(image)]
    for frame, whole in zip(before + after, rolled(model, 3), strict=True):
        assert (frame.index, frame.emitted) == (whole.index, whole.emitted)
        assert torch.equal(frame.prediction.points_self, whole.prediction.points_self)
        assert torch.equal(frame.prediction.people.token, whole.prediction.people.token)
        assert np.array_equal(frame.world_from_camera, whole.world_from_camera)


def test_a_shallow_copy_goes_its_own_way(model: Human3R) -> None:
    rollout = ChunkedRollout(model, RolloutSettings(3))
    expected = rolled(model, 3)
    for image, whole in zip(FRAMES[:3], expected[:3], strict=True):
        aside = copy.copy(rollout)
        aside.push(FRAMES[8])
        aside.push(FRAMES[7])
        frame = rollout.push(image)[0]
        assert torch.equal(frame.prediction.points_self, whole.prediction.points_self)
        assert np.array_equal(frame.world_from_camera, whole.world_from_camera)


def test_a_frame_that_breaks_the_network_is_passed_over(model: Human3R) -> None:
    broken, sound = ChunkedRollout(model), ChunkedRollout(model)
    for image in (FRAMES[0], FRAMES[1]):
        sound.push(image)
        broken.push(image)
    frame = broken.push(torch.full_like(FRAMES[0], torch.nan))[0]
    assert np.isfinite(frame.world_from_camera).all() and not len(frame.prediction.people)
    assert (frame.prediction.confidence == 0).all() and frame.prediction.points_self.isfinite().all()
    assert torch.equal(
        broken.push(FRAMES[2])[0].prediction.points_self, sound.push(FRAMES[2])[0].prediction.points_self
    )


def test_poses_are_rigid_motions(model: Human3R) -> None:
    for frame in rolled(model, 3):
        rotation = frame.world_from_camera[:3, :3]
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
        assert np.linalg.det(rotation) > 0 and frame.world_from_camera[3].tolist() == [0, 0, 0, 1]


def test_the_pose_of_a_chunk_is_the_networks(model: Human3R) -> None:
    frame = ChunkedRollout(model).push(FRAMES[0])[0]
    np.testing.assert_allclose(frame.world_from_camera, matrix_from_pose(frame.prediction.camera_pose[0]), atol=1e-6)


def test_reduced_precision_runs_and_is_restored(model: Human3R) -> None:
    rollout = ChunkedRollout(model, RolloutSettings(2, StepOptions(), torch.bfloat16))
    frames = [frame for image in FRAMES[:4] for frame in rollout.push(image)]
    assert len(frames) == 5 and all(frame.prediction.points_self.dtype == torch.float32 for frame in frames)


@pytest.mark.parametrize("interval", [-1, 1])
def test_impossible_intervals_are_refused(interval: int) -> None:
    with pytest.raises(UserError):
        RolloutSettings(interval)
