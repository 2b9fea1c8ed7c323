# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations, rigid motions and cameras in torch, against numpy's in the contract and against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.contract import rotations as numpy_rotations
from engine.geometry.cameras import focal_from_field_of_view, principal_point
from engine.geometry.rigid import matrix_from_pose
from engine.geometry.rotations import quaternion_to_matrix, rotation_from_6d


def random_quaternions(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    raw = torch.randn(*shape, 4, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return raw / raw.norm(dim=-1, keepdim=True)


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rotations_survive_their_six_numbers(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    matrices = quaternion_to_matrix(random_quaternions(*shape, dtype=dtype))
    torch.testing.assert_close(rotation_from_6d(matrices[..., :2]), matrices)
    # Neither the lengths of the columns nor what the second shares with the first matter.
    skewed = torch.stack((3 * matrices[..., 0], 0.5 * matrices[..., 1] - 2 * matrices[..., 0]), dim=-1)
    torch.testing.assert_close(rotation_from_6d(skewed), matrices, rtol=1e-4, atol=1e-5)
    assert rotation_from_6d(matrices[..., :2]).dtype == dtype


def test_any_six_numbers_give_a_rotation() -> None:
    columns = torch.randn(100, 3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    matrices = rotation_from_6d(columns)
    identity = torch.eye(3, dtype=torch.float64).expand(100, 3, 3)
    torch.testing.assert_close(matrices @ matrices.transpose(-1, -2), identity)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(100, dtype=torch.float64))


def test_quaternions_agree_with_the_contract() -> None:
    quaternions = random_quaternions(50)
    np.testing.assert_allclose(
        quaternion_to_matrix(quaternions), numpy_rotations.quaternion_to_matrix(quaternions.numpy()), atol=1e-12
    )


def test_a_pose_moves_points_as_its_parts_say() -> None:
    quarter = math.sqrt(0.5)
    pose = torch.tensor([1.0, 2.0, 3.0, quarter, 0.0, 0.0, quarter])  # a quarter turn about z: x becomes y
    motion = matrix_from_pose(pose)
    points = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 5.0, 1.0]])
    torch.testing.assert_close(points @ motion.T, torch.tensor([[1.0, 3.0, 3.0, 1.0], [1.0, 2.0, 8.0, 1.0]]))
    assert motion[3].tolist() == [0, 0, 0, 1]
    assert matrix_from_pose(pose.expand(2, 3, 7)).shape == (2, 3, 4, 4)


def test_known_cameras() -> None:
    assert focal_from_field_of_view(90, 100) == pytest.approx(50)
    assert principal_point(48, 65) == (32, 24)
