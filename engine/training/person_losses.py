# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses on people: bodies, their place, and what the reader of a convolutional prior says.

n people of a batch in the order of ``taught.nonzero()``. Every function returns a scalar or a dictionary of scalars.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.skeleton import HEAD, HUMAN3R_TO_JOINT
from ..geometry.rotations import rotation_from_6d
from ..model.conv_prior import READ_JOINTS, YAW_BINS, PersonReading
from .skeleton import Skeleton

REFERENCE_SCALE = 64.0
"""Pixels per metre at which the reader's log scale is 0."""


@dataclass(frozen=True)
class PersonWeights:
    """Weights of the terms; the defaults made bodies learnable for the small model."""

    raw_rotations: float = 1.0
    """Squared error of the raw 6-D values: unlike errors of matrices it has no plateau."""
    joints: float = 4.0
    """Joints by forward kinematics, relative to the head, metres."""
    read_joints: float = 6.0
    """Joints that the reader places directly, metres."""
    yaw: float = 0.3
    """Classification of the body's heading."""
    scale: float = 1.5
    """Pixels per metre at the head, logarithm."""
    head_depth: float = 1.5
    """Logarithm of the head's depth."""
    head_side: float = 4.0
    """Direction of the head, x / z and y / z."""
    betas: float = 0.05
    expression: float = 0.01


@dataclass(frozen=True)
class PeopleTruth:
    """The n people that got a prompt."""

    rotations: Tensor
    """(n, 53, 3, 3) in Human3R's order."""
    betas: Tensor
    """(n, 10)."""
    expression: Tensor
    """(n, 10)."""
    joints: Tensor
    """(n, 55, 3) in the camera frame."""
    scale_px: Tensor
    """(n,) pixels of the human-prior image per metre at the head."""

    @property
    def head_point(self) -> Tensor:
        return self.joints[:, HEAD]


def joint_weights(device: torch.device | str) -> Tensor:
    """(53,) how much each rotation counts in the raw 6-D error: the root most, what covers few pixels least."""
    weights = torch.ones(len(HUMAN3R_TO_JOINT), device=device)
    weights[0] = 3.0
    weights[[7, 8, 10, 11, 20, 21]] = 0.4
    weights[22:52] = 0.05
    weights[52] = 0.2
    return weights


def heading_bin(root: Tensor) -> Tensor:
    """(n, 3, 3) root rotations in the camera frame to the (n,) bin of where the body faces, about the vertical axis."""
    facing = root[:, :, 2]
    angle = torch.atan2(facing[:, 0], -facing[:, 2])
    return ((angle / (2 * math.pi) * YAW_BINS).floor().long() + YAW_BINS // 2).clamp(0, YAW_BINS - 1)


def body_losses(
    raw: Tensor,
    betas: Tensor,
    expression: Tensor,
    head_point: Tensor,
    truth: PeopleTruth,
    skeleton: Skeleton,
    weights: PersonWeights,
) -> dict[str, Tensor]:
    """Losses of (n, 318) raw rotations, (n, 10) betas and expression, and (n, 3) head points."""
    count = max(len(raw), 1)
    columns = raw.float().unflatten(-1, (53, 3, 2))
    per_joint = (columns - truth.rotations[..., :2]).square().sum(dim=(-1, -2))
    posed = skeleton.head_relative_joints(rotation_from_6d(columns), truth.betas)
    wanted = truth.joints - truth.head_point[:, None]
    depth, true_depth = head_point[:, 2].clamp(min=0.05), truth.head_point[:, 2].clamp(min=0.05)
    side, true_side = head_point[:, :2] / depth[:, None], truth.head_point[:, :2] / true_depth[:, None]
    return {
        "raw_rotations": weights.raw_rotations * (per_joint * joint_weights(raw.device)).sum() / count,
        "joints": weights.joints * (posed - wanted)[:, :25].abs().mean(dim=1).sum() / count,
        "head_depth": weights.head_depth * (depth.log() - true_depth.log()).abs().sum() / count,
        "head_side": weights.head_side * (side - true_side).abs().sum() / count,
        "betas": weights.betas * (betas - truth.betas).abs().sum() / count,
        "expression": weights.expression * (expression - truth.expression).abs().sum() / count,
    }


def reader_losses(reading: PersonReading, truth: PeopleTruth, weights: PersonWeights) -> dict[str, Tensor]:
    """Losses of what the reader of a convolutional prior says."""
    count = max(len(reading.token), 1)
    wanted = truth.joints[:, list(READ_JOINTS)] - truth.head_point[:, None]
    log_scale = (truth.scale_px / REFERENCE_SCALE).log()
    yaw = functional.cross_entropy(reading.yaw_logits, heading_bin(truth.rotations[:, 0]), reduction="sum")
    return {
        "read_joints": weights.read_joints * (reading.joints - wanted).abs().mean(dim=1).sum() / count,
        "yaw": weights.yaw * yaw / count,
        "scale": weights.scale * (reading.log_scale - log_scale).abs().sum() / count,
    }
