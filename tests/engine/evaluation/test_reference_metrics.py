# SPDX-License-Identifier: GPL-3.0-or-later
"""Every metric agrees with the results of the published evaluation's own functions on the same inputs."""

from pathlib import Path

import numpy as np
import pytest

from engine.evaluation import global_motion, local_body
from engine.evaluation.alignment import fit_rigid, fit_similarity

TOLERANCE = 1e-5
"""Of the largest reference value: the reference was computed in float32."""


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "golden" / "reference_metrics.npz") as archive:
        return {name: archive[name] for name in archive.files}


def agrees(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < TOLERANCE * np.abs(theirs).max()


def test_local_errors(reference: dict[str, np.ndarray]) -> None:
    joints, true_joints = reference["local.pred_joints"], reference["local.gt_joints"]
    vertices, true_vertices = reference["local.pred_vertices"], reference["local.gt_vertices"]
    hips = tuple(int(index) for index in reference["local.pelvis_ids"])
    assert hips == local_body.SMPL_HIPS
    agrees(local_body.mpjpe_mm(joints, true_joints), reference["local.mpjpe_mm"])
    agrees(local_body.pa_mpjpe_mm(joints, true_joints), reference["local.pa_mpjpe_mm"])
    agrees(local_body.pve_mm(vertices, true_vertices, joints, true_joints), reference["local.pve_mm"])
    agrees(local_body.pa_mpjpe_mm(vertices, true_vertices), reference["local.pa_pve_mm"])


def test_global_errors(reference: dict[str, np.ndarray]) -> None:
    prediction, truth = reference["global.pred"], reference["global.gt"]
    agrees(global_motion.w_mpjpe_mm(prediction, truth), reference["global.w_mpjpe_mm"])
    agrees(global_motion.wa_mpjpe_mm(prediction, truth), reference["global.wa_mpjpe_mm"])
    roots = prediction[:, 0], truth[:, 0]
    agrees(global_motion.rte_percent(*roots), reference["global.rte_percent"])
    agrees(global_motion.rte_percent(*roots, with_scale=True), reference["global.rte_scaled_percent"])
    agrees(global_motion.jitter_10m_per_s3(prediction, frame_rate=30), reference["global.jitter_10m_per_s3"])


def test_foot_sliding(reference: dict[str, np.ndarray]) -> None:
    ours = global_motion.foot_sliding_mm(reference["foot.pred_vertices_4"], reference["foot.gt_vertices_4"])
    agrees(ours, reference["foot.sliding_mm"])


def test_fits_are_rigid_or_similar_as_asked(reference: dict[str, np.ndarray]) -> None:
    """A guard for the test above: on these inputs the two fits differ by far more than the tolerance."""
    roots = reference["global.pred"][:, 0], reference["global.gt"][:, 0]
    assert abs(float(fit_similarity(*roots).scale) - 1.0) > 0.01
    assert float(fit_rigid(*roots).scale) == 1.0
