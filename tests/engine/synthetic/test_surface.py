# SPDX-License-Identifier: GPL-3.0-or-later
"""Skinning in torch against the contract's numpy, and the thinned surface."""

import numpy as np
import pytest
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.rotations import axis_angle_to_matrix
from engine.synthetic.surface import BodySurface


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@pytest.fixture(scope="module")
def pose():
    random = np.random.default_rng(0)
    axis_angle = random.normal(0.0, 0.4, (3, 55, 3))
    return (
        axis_angle,
        random.normal(0.0, 1.0, (3, 10)),
        random.normal(0.0, 1.0, (3, 10)),
        random.normal(0.0, 2.0, (3, 3)),
    )


def _posed(surface: BodySurface, pose):
    axis_angle, betas, expression, translation = pose
    rotations = axis_angle_to_matrix(axis_angle)
    return surface.pose(
        *(torch.as_tensor(value, dtype=torch.float32) for value in (rotations, betas, expression, translation))
    )


def test_agrees_with_the_contract(body, pose):
    axis_angle, betas, expression, translation = pose
    vertices, normals, joints = _posed(BodySurface(body), pose)
    expected = body.vertices(betas, expression, axis_angle, translation)
    np.testing.assert_allclose(vertices.numpy(), expected, atol=2e-5)
    rotations = axis_angle_to_matrix(axis_angle)
    np.testing.assert_allclose(joints.numpy(), body.posed_joints(rotations, betas, expression, translation), atol=2e-5)
    assert normals.shape == vertices.shape


@pytest.mark.parametrize("cell", [0.012, 0.025])
def test_thinned_surface_lies_on_the_body_and_has_no_cracks(body, pose, cell):
    full, thin = BodySurface(body), BodySurface(body, cell=cell)
    assert len(thin.rest) < 0.8 * len(full.rest)
    vertices, _, _ = _posed(thin, pose)
    torch.testing.assert_close(vertices, _posed(full, pose)[0][:, thin.kept], atol=1e-6, rtol=0)

    def edges(faces: torch.Tensor) -> dict:
        pairs = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(-1).values
        _, count = pairs.unique(dim=0, return_counts=True)
        return {"open": int((count == 1).sum()), "all": len(count)}

    assert edges(thin.faces)["open"] <= edges(full.faces)["open"]


def test_normals_point_outwards(body):
    surface = BodySurface(body)
    # The divergence theorem: the signed volume of a closed surface with outward faces is positive.
    corners = surface.rest[surface.faces].double()
    volume = (corners[:, 0] * torch.cross(corners[:, 1], corners[:, 2], dim=-1)).sum() / 6.0
    assert 0.03 < volume < 0.15
    across = torch.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], dim=-1)
    agreement = (across * surface.normals[surface.faces].double().sum(1)).sum(-1)
    assert (agreement > 0).float().mean() > 0.97
