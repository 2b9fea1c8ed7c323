# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads that exist only while training: they ask the features for what the shipped heads will need."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..model.camera_head import metric_vector
from ..model.config import PATCH_SIZE, Human3RConfig

PART_COUNT = 13
_MATCH_WIDTH = 96
_FLOW_UNIT_PX = 32.0
_CELLS = 2
_FINE_WIDTH = 64


class AuxiliaryHeads(nn.Module):
    """Linear readings of the tokens; thrown away after training."""

    def __init__(self, config: Human3RConfig) -> None:
        super().__init__()
        self.match = nn.Linear(config.encoder_width, _MATCH_WIDTH)
        self.flow = nn.Linear(config.decoder_width, 2)
        self.world = nn.Linear(config.decoder_width, 3 * _CELLS**2)
        if config.convolutional:
            self.part = nn.Conv2d(_FINE_WIDTH, 1 + PART_COUNT, 1)
            self.canonical = nn.Conv2d(_FINE_WIDTH, 3, 1)

    def flow_px(self, image_tokens: Tensor) -> Tensor:
        """(B, N, D) refined image tokens to the (B, N, 2) way of each patch centre to the clip's first picture."""
        return self.flow(image_tokens) * _FLOW_UNIT_PX

    def world_loss(self, image_tokens: Tensor, points: Tensor, valid: Tensor) -> Tensor:
        """World points of four places in each patch: distance over 1 + length; ``points`` (B, H, W, 3)."""
        wanted, ok = _per_patch(points), _per_patch(valid[..., None].to(points.dtype))[..., 0]
        found = metric_vector(self.world(image_tokens).unflatten(-1, (_CELLS**2, 3)))
        return ((found - wanted).norm(dim=-1) / (1 + wanted.norm(dim=-1)) * ok).mean()

    def surface_losses(self, fine: Tensor, part: Tensor, canonical: Tensor) -> dict[str, Tensor]:
        """Body parts and canonical coordinates of (B, H, W) and (B, H, W, 3) truth, read off the fine features."""
        stride = 4
        rows, columns = part.shape[1] // stride, part.shape[2] // stride
        top, left = (fine.shape[2] - rows) // 2, (fine.shape[3] - columns) // 2
        inside = fine[:, :, top : top + rows, left : left + columns]
        labels = part[:, 1::stride, 1::stride]
        weight = torch.ones(1 + PART_COUNT, device=fine.device)
        weight[0] = 0.2  # most of the picture is nobody
        places = self.canonical(inside).permute(0, 2, 3, 1).float() - canonical[:, 1::stride, 1::stride]
        person = labels > 0
        return {
            "part": functional.cross_entropy(self.part(inside).float(), labels, weight=weight),
            "canonical": 3 * (places.abs() * person[..., None]).sum() / person.sum().clamp(min=1),
        }


def _per_patch(values: Tensor) -> Tensor:
    """(B, H, W, C) at 2 x 2 places of each patch: (B, N, 4, C)."""
    step = PATCH_SIZE // _CELLS
    grid = values[:, step // 2 :: step, step // 2 :: step]
    rows, columns = grid.shape[1] // _CELLS, grid.shape[2] // _CELLS
    cells = grid.unflatten(1, (rows, _CELLS)).unflatten(3, (columns, _CELLS)).transpose(2, 3)
    return cells.flatten(3, 4).flatten(1, 2)
