# SPDX-License-Identifier: GPL-3.0-or-later
"""The human-prior encoder: a ViT in DINOv2's layout (paper section 3.2, Human Prior)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .attention import SelfAttention
from .blocks import Mlp, layer_norm
from .config import PRIOR_PATCH_SIZE, Human3RConfig


class LayerScale(nn.Module):
    """A learnt factor per channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class PriorBlock(nn.Module):
    """Pre-norm self-attention and MLP, each with a layer scale."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = layer_norm(width)
        self.attn = SelfAttention(width, heads)
        self.ls1 = LayerScale(width)
        self.norm2 = layer_norm(width)
        self.mlp = Mlp(width)
        self.ls2 = LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    """Image to tokens: one convolution over patches that do not overlap."""

    def __init__(self, patch_size: int, width: int, channels: int = 3) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch_size, stride=patch_size)

    def forward(self, image: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, tokens in row-major order, width)."""
        return self.proj(image).flatten(2).transpose(1, 2)


class PriorEncoder(nn.Module):
    """ViT with class token and a position embedding learnt on one grid and resized to another."""

    def __init__(self, config: Human3RConfig, for_inference: bool) -> None:
        super().__init__()
        width = config.prior_width
        self.learnt_grid = config.prior_grid
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.prior_grid**2, width))
        if not for_inference:
            self.mask_token = nn.Parameter(torch.zeros(1, width))
        self.patch_embed = PatchEmbed(PRIOR_PATCH_SIZE, width)
        self.blocks = nn.ModuleList(PriorBlock(width, config.prior_heads) for _ in range(config.prior_depth))
        self.norm = layer_norm(width)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, R, R) image under ImageNet normalisation to (B, S * S, width) patch tokens after the final norm."""
        grid = image.shape[-1] // PRIOR_PATCH_SIZE
        class_position, patch_positions = self.pos_embed[:, :1], self._patch_positions(grid)
        x = self.patch_embed(image) + patch_positions
        x = torch.cat(((self.cls_token + class_position).expand(len(x), -1, -1).to(x.dtype), x), dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, 1:])

    def _patch_positions(self, grid: int) -> Tensor:
        learnt = self.pos_embed[:, 1:]
        if grid == self.learnt_grid:
            return learnt
        # DINOv2 passes the scale factor with a tenth of a patch added, and the sampling positions follow the factor.
        scale = (grid + 0.1) / self.learnt_grid
        square = learnt.unflatten(1, (self.learnt_grid, self.learnt_grid)).permute(0, 3, 1, 2)
        resized = functional.interpolate(square.float(), scale_factor=(scale, scale), mode="bicubic")
        return resized.flatten(2).transpose(1, 2)


class Backbone(nn.Module):
    """Holds the encoder under the name that checkpoints give it, ``backbone.encoder``."""

    def __init__(self, config: Human3RConfig, for_inference: bool) -> None:
        super().__init__()
        self.encoder = PriorEncoder(config, for_inference)

    def forward(self, image: Tensor) -> tuple[Tensor, None]:
        """(B, 3, R, R) image under ImageNet normalisation to (B, S * S, width) tokens; there are no finer features."""
        return self.encoder(image), None

    def person_token(self, token: Tensor, fine: Tensor | None, batch_index: Tensor, head_square_px: Tensor) -> Tensor:
        """A person's prior token is that of its head patch: attention has already seen the whole person."""
        return token
