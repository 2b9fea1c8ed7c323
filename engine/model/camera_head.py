# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera: from the refined pose token to a pose, and the mapping that gives lengths their range."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import Mlp
from .precision import in_float32

MAX_LOG_LENGTH = 20.0
"""Bound on what is exponentiated: half a million kilometres. Keeps outputs finite whatever the network says."""


def metric_vector(raw: Tensor) -> Tensor:
    """Stretch (..., 3) vectors to metres: direction * expm1(norm), 0 at 0."""
    raw = raw.float()
    norm = raw.norm(dim=-1, keepdim=True)
    # expm1(n) / n tends to 1 at 0; the guarded division keeps the gradient finite there.
    safe = norm.clamp(min=1e-8)
    return raw * torch.where(norm > 1e-8, norm.clamp(max=MAX_LOG_LENGTH).expm1() / safe, 1.0)


def metric_confidence(raw: Tensor) -> Tensor:
    """Confidence from 1 upwards: 1 + exp(raw)."""
    return 1 + raw.float().clamp(max=MAX_LOG_LENGTH).exp()


def camera_pose(raw: Tensor) -> Tensor:
    """(..., 7) raw camera output to translation in metres and unit quaternion wxyz with w >= 0."""
    raw = raw.float()
    quaternion = raw[..., 3:] / raw[..., 3:].norm(dim=-1, keepdim=True).clamp(min=1e-12)
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    return torch.cat((metric_vector(raw[..., :3]), quaternion), dim=-1)


class CameraHead(nn.Module):
    """Pose of the camera in the world of its chunk."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = Mlp(width, out=7)

    @in_float32
    def forward(self, pose_token: Tensor) -> Tensor:
        """(B, D) refined pose tokens to (B, 7) poses: translation in metres, quaternion wxyz."""
        return camera_pose(self.mlp(pose_token))
