# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses on detection (focal, as in CenterNet) and masks (cross-entropy)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def detection_loss(scores: Tensor, picture: Tensor, patch: Tensor, ignored: Tensor | None = None) -> Tensor:
    """Focal loss of (B, S, S) scores in CenterNet's form, powers 2 and 4, over the number of heads.

    ``picture`` (n,) and ``patch`` (n, 2) (row, column) say where heads are; neighbours of a head are punished less, by
    a Gaussian of one patch. ``ignored`` (B, S, S) bool marks patches that do not count.
    """
    side = scores.shape[-1]
    row, column = torch.meshgrid(
        torch.arange(side, device=scores.device), torch.arange(side, device=scores.device), indexing="ij"
    )
    away = (row - patch[:, :1, None]) ** 2 + (column - patch[:, 1:, None]) ** 2
    bumps = torch.exp(-away.to(scores.dtype) / (2 * 0.6**2))
    target = torch.zeros_like(scores)
    target.scatter_reduce_(0, picture[:, None, None].expand_as(bumps), bumps, "amax")
    is_head = target >= 1 - 1e-6
    gain = torch.where(is_head, (1 - scores) ** 2 * scores.log(), (1 - target) ** 4 * scores**2 * (1 - scores).log())
    if ignored is not None:
        gain = gain.masked_fill(ignored & ~is_head, 0.0)
    return -gain.sum() / max(len(picture), 1)


def offset_loss(square_px: Tensor, true_square_px: Tensor, patch: int) -> Tensor:
    """L1 of (n, 2) head positions in the human-prior image, in patches."""
    return (square_px - true_square_px).abs().sum() / patch / max(len(square_px), 1)


def mask_loss(mask: Tensor, truth: Tensor) -> Tensor:
    """Binary cross-entropy of (B, H, W) probabilities against (B, H, W) bool."""
    return functional.binary_cross_entropy(mask.float(), truth.float())
