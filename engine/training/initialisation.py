# SPDX-License-Identifier: GPL-3.0-or-later
"""How a small model starts: able to copy and to compare, which training alone did not find (initialisation only)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..contract.skeleton import HUMAN3R_TO_JOINT
from ..model.attention import CrossAttention
from ..model.human3r import Human3R
from .truth import Truth

_COMPARISON_GAIN = 2.0
_COPY_LOGIT = 160.0
_SMALL = 0.1


def initialise(model: Human3R, mean_pose: Tensor | None = None) -> None:
    """Fill a new small model in place; torch's defaults stay where nothing else is said.

    ``mean_pose`` (318,) raw rotations that the pose head's output adds to. The state must be as large as the grid of
    the image's patches.
    """
    with torch.no_grad():
        nn.init.normal_(model.register_tokens.weight, std=0.02)
        for token in (model.pose_token, model.pose_retriever.masked_token, model.pose_retriever.mem):
            nn.init.normal_(token, std=0.02)
        # Any: a module list does not say what it holds.
        image_blocks: list[Any] = list(model.dec_blocks)
        state_blocks: list[Any] = list(model.dec_blocks_state)
        for block in image_blocks + state_blocks:
            for layer in (block.attn.proj, block.mlp.fc2):
                layer.weight.mul_(0.5)
        for block in image_blocks:
            _compare(block.cross_attn)
        _copy_by_position(state_blocks[0].cross_attn)
        head: Any = model.downstream_head
        for mlp in (head.decpose, head.decshape, head.decexpression, head.deccam):
            _shrink(mlp.mlp.layers[2])
        head.deccam.mlp.layers[2].bias.copy_(torch.tensor((0.0, 0.0, 1.5)))
        head.mlp_classif[2].bias.fill_(-3.0)
        _shrink(head.pose_head.mlp.fc2)
        head.pose_head.mlp.fc2.bias.copy_(torch.tensor((0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)))
        _shrink(head.dpt_self.head[4])
        head.dpt_self.head[4].bias.copy_(torch.tensor((0.0, 0.0, 1.6, -1.0)))
        if mean_pose is not None:
            head.init_body_pose.copy_(mean_pose.reshape(1, -1))


def mean_pose(truth: Truth) -> Tensor:
    """(318,) mean raw rotations of the people in a batch; the root stands upright before the camera."""
    rotations = truth.rotations[truth.exists][:, list(HUMAN3R_TO_JOINT), :, :2]
    mean = rotations.mean(dim=0) if len(rotations) else torch.eye(3)[:, :2].repeat(len(HUMAN3R_TO_JOINT), 1, 1)
    mean[0] = torch.tensor(((1.0, 0.0), (0.0, -1.0), (0.0, 0.0)))
    return mean.flatten()


def _shrink(layer: nn.Linear | nn.Conv2d) -> None:
    layer.weight.mul_(_SMALL)
    if layer.bias is not None:
        layer.bias.zero_()


def _compare(attention: CrossAttention) -> None:
    """Queries and keys start as the tokens themselves: what looks alike attends to each other."""
    width = attention.projq.weight.shape[0]
    for projection in (attention.projq, attention.projk):
        projection.weight.copy_(_COMPARISON_GAIN**0.5 * torch.eye(width))
        projection.bias.zero_()


def _copy_by_position(attention: CrossAttention) -> None:
    """Constant queries and keys, so that only the rotary positions decide; values and output pass the token on."""
    width = attention.projq.weight.shape[0]
    for projection in (attention.projq, attention.projk):
        projection.weight.zero_()
        # Of each pair that is rotated together one channel is set: the logit is a sum of cosines of the distance.
        pattern = torch.zeros(attention.heads, 2, 2, width // attention.heads // 4)
        pattern[:, :, 0] = (_COPY_LOGIT / (width / attention.heads) ** 0.5) ** 0.5
        projection.bias.copy_(pattern.flatten())
    for projection in (attention.projv, attention.proj):
        projection.weight.copy_(torch.eye(width))
        projection.bias.zero_()
