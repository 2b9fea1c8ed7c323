# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid motions in torch, as 4 x 4 matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from .rotations import quaternion_to_matrix


def matrix_from_pose(pose: Tensor) -> Tensor:
    """(..., 7) translation in metres and unit quaternion wxyz to the (..., 4, 4) motion x -> R x + t."""
    upper = torch.cat((quaternion_to_matrix(pose[..., 3:]), pose[..., :3, None]), dim=-1)
    last = torch.tensor((0.0, 0.0, 0.0, 1.0), dtype=pose.dtype, device=pose.device).expand(*pose.shape[:-1], 1, 4)
    return torch.cat((upper, last), dim=-2)
