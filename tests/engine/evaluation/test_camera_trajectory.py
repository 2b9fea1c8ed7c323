# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera metrics: agreement with evo on random trajectories, and known answers."""

import numpy as np
import pytest
from evo.core import metrics
from evo.core.trajectory import PosePath3D
from scipy.spatial.transform import Rotation

from engine.evaluation.camera_trajectory import absolute_trajectory_errors, relative_pose_errors, root_mean_square


def poses(random: np.random.Generator, count: int) -> np.ndarray:
    """A smooth random path of (count, 4, 4) poses."""
    result = np.tile(np.eye(4), (count, 1, 1))
    result[:, :3, :3] = Rotation.from_rotvec(np.cumsum(random.normal(size=(count, 3)) * 0.1, axis=0)).as_matrix()
    result[:, :3, 3] = np.cumsum(random.normal(size=(count, 3)), axis=0)
    return result


def disturbed(random: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """The path in another world and scale, with noise."""
    world = np.eye(4)
    world[:3, :3] = Rotation.random(rng=random).as_matrix()
    result = world @ truth
    result[:, :3, 3] = 0.4 * result[:, :3, 3] + random.normal(size=(len(truth), 3)) * 0.2 + [1.0, -2.0, 3.0]
    noise = Rotation.from_rotvec(random.normal(size=(len(truth), 3)) * 0.05).as_matrix()
    result[:, :3, :3] = result[:, :3, :3] @ noise
    return result


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("with_scale", [True, False])
def test_absolute_errors_agree_with_evo(seed: int, with_scale: bool) -> None:
    random = np.random.default_rng(seed)
    truth = poses(random, 40)
    prediction = disturbed(random, truth)
    reference, estimate = PosePath3D(poses_se3=list(truth)), PosePath3D(poses_se3=list(prediction))
    estimate.align(reference, correct_scale=with_scale)
    theirs = metrics.APE(metrics.PoseRelation.translation_part)
    theirs.process_data((reference, estimate))
    ours = absolute_trajectory_errors(prediction, truth, with_scale)
    np.testing.assert_allclose(ours, theirs.error, rtol=1e-9, atol=1e-12)
    assert root_mean_square(ours) == pytest.approx(theirs.get_statistic(metrics.StatisticsType.rmse), rel=1e-9)


@pytest.mark.parametrize("step", [1, 5])
@pytest.mark.parametrize("with_scale", [True, False])
def test_relative_errors_agree_with_evo(step: int, with_scale: bool) -> None:
    random = np.random.default_rng(step)
    truth = poses(random, 40)
    prediction = disturbed(random, truth)
    ours = relative_pose_errors(prediction, truth, step, with_scale)
    for relation, values in (
        (metrics.PoseRelation.translation_part, ours.translation_m),
        (metrics.PoseRelation.rotation_angle_deg, ours.rotation_deg),
    ):
        reference, estimate = PosePath3D(poses_se3=list(truth)), PosePath3D(poses_se3=list(prediction))
        estimate.align(reference, correct_scale=with_scale)
        theirs = metrics.RPE(relation, delta=step, delta_unit=metrics.Unit.frames, all_pairs=True)
        theirs.process_data((reference, estimate))
        np.testing.assert_allclose(values, theirs.error, rtol=1e-6, atol=1e-9)


def test_same_path_in_another_world_is_perfect() -> None:
    random = np.random.default_rng(7)
    truth = poses(random, 20)
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = Rotation.random(rng=random).as_matrix(), [5, 6, 7]
    assert root_mean_square(absolute_trajectory_errors(world @ truth, truth, with_scale=False)) < 1e-12
    errors = relative_pose_errors(world @ truth, truth)
    assert errors.translation_m.max() < 1e-12
    assert errors.rotation_deg.max() < 1e-9


def test_still_camera_errs_by_the_spread_of_the_truth() -> None:
    truth = poses(np.random.default_rng(8), 20)
    centres = truth[:, :3, 3]
    errors = absolute_trajectory_errors(np.tile(np.eye(4), (20, 1, 1)), truth)
    np.testing.assert_allclose(errors, np.linalg.norm(centres - centres.mean(axis=0), axis=-1))


def test_turn_of_a_half_circle_is_180_degrees() -> None:
    truth = np.tile(np.eye(4), (2, 1, 1))
    prediction = truth.copy()
    prediction[1, :3, :3] = np.diag([-1.0, 1.0, -1.0])
    assert relative_pose_errors(prediction, truth).rotation_deg[0] == pytest.approx(180.0)


def test_step_must_fit() -> None:
    with pytest.raises(ValueError, match="needs more"):
        relative_pose_errors(np.eye(4)[None], np.eye(4)[None])
