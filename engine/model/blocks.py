# SPDX-License-Identifier: GPL-3.0-or-later
"""The transformer blocks: pre-norm, residual, exact GELU."""

from __future__ import annotations

from torch import Tensor, nn

from .attention import CrossAttention, SelfAttention
from .config import LAYER_NORM_EPS, MLP_RATIO


def layer_norm(width: int) -> nn.LayerNorm:
    """The layer norm used everywhere."""
    return nn.LayerNorm(width, eps=LAYER_NORM_EPS)


class Mlp(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, width: int, hidden: int | None = None, out: int | None = None) -> None:
        super().__init__()
        hidden = hidden or MLP_RATIO * width
        self.fc1 = nn.Linear(width, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, out or width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class EncoderBlock(nn.Module):
    """Self-attention, MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = layer_norm(width)
        self.attn = SelfAttention(width, heads)
        self.norm2 = layer_norm(width)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor, rotary: Tensor | None = None) -> Tensor:
        x = x + self.attn(self.norm1(x), rotary)
        return x + self.mlp(self.norm2(x))


class DecoderBlock(nn.Module):
    """Self-attention, cross-attention to the other stream, MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = layer_norm(width)
        self.attn = SelfAttention(width, heads)
        self.cross_attn = CrossAttention(width, heads)
        self.norm2 = layer_norm(width)
        self.norm3 = layer_norm(width)
        self.mlp = Mlp(width)
        self.norm_y = layer_norm(width)

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        rotary_x: Tensor | None = None,
        rotary_y: Tensor | None = None,
        mask_x: Tensor | None = None,
        mask_y: Tensor | None = None,
        want_mean_logit: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Refine (B, N, C) by itself and by (B, M, C).

        ``rotary_*`` are the tables of the positions, ``mask_*`` (B, N) and (B, M) bool the tokens that exist.
        Returns the new x and, when asked, the (B, N) mean logit of the cross-attention.
        """
        x = x + self.attn(self.norm1(x), rotary_x, mask_x)
        read, logit = self.cross_attn(self.norm2(x), self.norm_y(y), rotary_x, rotary_y, mask_y, want_mean_logit)
        x = x + read
        return x + self.mlp(self.norm3(x)), logit


class ModulatedNorm(nn.Module):
    """Layer norm whose result is scaled and shifted as a condition says."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = layer_norm(width)
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(B, N, C) under a (B, 1, C) condition: norm(x) * (1 + scale) + shift."""
        shift, scale = self.mlp(condition).chunk(2, dim=-1)
        return self.norm(x) * (1 + scale) + shift


class ModulatedBlock(nn.Module):
    """Encoder block whose norms are modulated by the pose token (before the world point map)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = ModulatedNorm(width)
        self.attn = SelfAttention(width, heads)
        self.norm2 = ModulatedNorm(width)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor, condition: Tensor, rotary: Tensor | None = None) -> Tensor:
        x = x + self.attn(self.norm1(x, condition), rotary)
        return x + self.mlp(self.norm2(x, condition))
