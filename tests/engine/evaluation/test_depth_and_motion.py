# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth, local and global motion: known answers and invariances beyond the reference values."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from engine.evaluation.depth import DepthSums, compare_depth
from engine.evaluation.global_motion import (
    foot_sliding_mm,
    jitter_10m_per_s3,
    path_length,
    rte_percent,
    w_mpjpe_mm,
    wa_mpjpe_mm,
)
from engine.evaluation.local_body import mpjpe_mm, pa_mpjpe_mm, rotation_error_deg


def test_depth_known_answers() -> None:
    truth = np.array([1.0, 2.0, 4.0, 4.0, 0.0, np.nan, np.inf, -1.0])
    prediction = np.array([1.1, 2.4, 5.0, 3.2, 9.0, 9.0, 9.0, 9.0])
    sums = compare_depth(prediction, truth)
    assert sums.pixels == 4
    assert sums.abs_rel == pytest.approx((0.1 + 0.2 + 0.25 + 0.2) / 4)
    assert sums.delta_125 == pytest.approx(2 / 4), "exactly 1.25 is not within"


def test_depth_is_metric() -> None:
    truth = np.random.default_rng(0).uniform(1, 5, (8, 9))
    assert compare_depth(2 * truth, truth).abs_rel == pytest.approx(1.0), "no scale may be fitted"
    assert compare_depth(2 * truth, truth).delta_125 == 0.0
    assert compare_depth(truth, truth) == DepthSums(72, 0.0, 72)


def test_bad_depth_is_wrong_and_never_hides() -> None:
    truth = np.ones(4)
    assert compare_depth(np.array([np.nan, -3.0, 0.0, np.inf]), truth) == DepthSums(4, 4.0, 0)


def test_depth_pools_over_pixels_and_ends_where_asked() -> None:
    random = np.random.default_rng(1)
    truth, prediction = random.uniform(1, 9, (2, 100))
    parts = compare_depth(prediction[:30], truth[:30]) + compare_depth(prediction[30:], truth[30:])
    assert parts.abs_rel == pytest.approx(compare_depth(prediction, truth).abs_rel)
    assert compare_depth(prediction, truth, greatest_m=5.0).pixels == (truth < 5).sum()
    assert np.isnan(DepthSums().abs_rel)


def test_local_errors_ignore_what_they_should() -> None:
    random = np.random.default_rng(2)
    truth = random.normal(size=(6, 24, 3))
    assert mpjpe_mm(truth + 5.0, truth).max() < 1e-9
    rotation = Rotation.random(rng=random).as_matrix()
    assert pa_mpjpe_mm(0.7 * truth @ rotation.T + 5.0, truth).max() < 1e-9
    assert mpjpe_mm(truth @ rotation.T, truth).min() > 100.0


def test_one_joint_off_by_a_centimetre() -> None:
    truth = np.random.default_rng(3).normal(size=(1, 24, 3))
    prediction = truth.copy()
    prediction[0, 20, 1] += 0.01
    assert mpjpe_mm(prediction, truth)[0] == pytest.approx(10.0 / 24)


@pytest.mark.parametrize("angle", [0.0, 1e-5, 30.0, 179.9999, 180.0])
def test_rotation_error(angle: float) -> None:
    random = np.random.default_rng(4)
    axis = random.normal(size=3)
    turn = Rotation.from_rotvec(np.radians(angle) * axis / np.linalg.norm(axis)).as_matrix()
    base = Rotation.random(rng=random).as_matrix()
    assert rotation_error_deg(base @ turn, base) == pytest.approx(angle, abs=1e-9)


def walk(frames: int) -> np.ndarray:
    random = np.random.default_rng(5)
    path = np.cumsum(random.normal(size=(frames, 1, 3)) * 0.02 + [0.03, 0, 0], axis=0)
    return path + random.normal(size=(24, 3)) * 0.4


def test_global_errors_are_zero_up_to_the_fit() -> None:
    truth = walk(150)
    rotation = Rotation.random(rng=6).as_matrix()
    moved = 1.3 * truth @ rotation.T + [4.0, 5.0, 6.0]
    assert w_mpjpe_mm(moved, truth).max() < 1e-9
    assert wa_mpjpe_mm(moved, truth).max() < 1e-9
    assert rte_percent(truth[:, 0] @ rotation.T + 2.0, truth[:, 0]).max() < 1e-9
    assert rte_percent(moved[:, 0], truth[:, 0]).mean() > 1.0, "the rigid fit must not take the scale away"
    assert rte_percent(moved[:, 0], truth[:, 0], with_scale=True).max() < 1e-9


def test_drift_shows_more_from_the_first_frames() -> None:
    truth = walk(100)
    drifting = truth + np.linspace(0, 1, 100)[:, None, None] * [0.0, 0.0, 0.5]
    errors = w_mpjpe_mm(drifting, truth)
    assert errors[0] < 10.0 < errors[-1]
    assert errors.mean() > wa_mpjpe_mm(drifting, truth).mean()


def test_segments_are_fitted_by_themselves() -> None:
    truth = walk(130)
    jumped = truth.copy()
    jumped[100:] += 3.0
    assert w_mpjpe_mm(jumped, truth).max() < 1e-9
    assert w_mpjpe_mm(jumped, truth, segment=130).max() > 1000.0


def test_a_root_that_stands_has_no_rte() -> None:
    with pytest.raises(ValueError, match="does not move"):
        rte_percent(np.zeros((5, 3)), np.ones((5, 3)))


def test_jitter_of_known_motions() -> None:
    time = np.arange(12) / 25.0
    constant_acceleration = (3.0 * time**2)[:, None, None] * np.ones((1, 4, 3))
    assert jitter_10m_per_s3(constant_acceleration, 25.0).max() < 1e-6
    constant_jerk = (time**3)[:, None, None] * np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(jitter_10m_per_s3(constant_jerk, 25.0), 6.0 / 10.0, rtol=1e-6)


def test_foot_sliding_counts_standing_vertices_only() -> None:
    truth = np.zeros((3, 2, 3))
    truth[:, 1, 0] = [0.0, 0.5, 1.0]
    prediction = np.zeros((3, 2, 3))
    prediction[:, :, 2] = [[0.0], [0.02], [0.05]]
    np.testing.assert_allclose(foot_sliding_mm(prediction, truth), [20.0, 30.0])


def test_path_length() -> None:
    assert path_length(np.array([[0, 0, 0], [3, 4, 0], [3, 4, 2]])) == pytest.approx(7.0)
