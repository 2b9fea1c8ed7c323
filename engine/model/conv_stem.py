# SPDX-License-Identifier: GPL-3.0-or-later
"""What a small model has in place of a linear patch embedding (``Human3RConfig.convolutional``)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_WIDTHS = (32, 64, 128)
_LONGEST_WAVE = 32.0
"""Patches in the longest wave of the absolute positions: more than a small picture has."""


class ConvolutionalStem(nn.Module):
    """Image to tokens of 16 x 16 pixels through four convolutions of stride 2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        taken = 3
        for given in _WIDTHS:
            layers += [nn.Conv2d(taken, given, 3, 2, 1, bias=False), nn.BatchNorm2d(given), nn.ReLU()]
            taken = given
        self.proj = nn.Sequential(*layers, nn.Conv2d(taken, width, 3, 2, 1))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, H/16 * W/16 in row-major order, width)."""
        return self.proj(image).flatten(2).transpose(1, 2)


def add_positions(tokens: Tensor, positions: Tensor) -> Tensor:
    """Add sines and cosines of (B, N, 2) positions (row, column) to (B, N, C) tokens, C a multiple of 4."""
    width = tokens.shape[-1] // 4
    lengths = _LONGEST_WAVE ** -(torch.arange(width, device=tokens.device) / width)
    angles = positions.to(torch.float32)[..., None] * (math.pi * lengths)
    waves = torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(-2)
    return tokens + 0.5 * waves.to(tokens.dtype)
