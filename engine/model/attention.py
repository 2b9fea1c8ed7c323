# SPDX-License-Identifier: GPL-3.0-or-later
"""Self- and cross-attention with rotary positions."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from .rope import rotate


def _split(x: Tensor, heads: int) -> Tensor:
    """(B, N, C) to (B, heads, N, C / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, key_mask: Tensor | None = None) -> Tensor:
    """Softmax attention of (B, heads, N, d) over (B, heads, M, d), merged to (B, N, heads * d).

    ``key_mask`` is (B, M) bool: keys that may be attended to; None for all.
    """
    mask = None if key_mask is None else key_mask[:, None, None, :]
    if query.requires_grad and query.device.type == "cpu" and mask is None:
        # The same in the open: on a CPU the fused kernel's backward pass takes twice as long.
        weights = (query * query.shape[-1] ** -0.5) @ key.mT
        return (weights.float().softmax(dim=-1).to(value.dtype) @ value).transpose(1, 2).flatten(2)
    if query.device.type == "cpu":  # the same to the bit; the fused kernel reads heads that lie together faster
        query, key, value = query.contiguous(), key.contiguous(), value.contiguous()
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one fused projection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, rotary: Tensor | None = None, key_mask: Tensor | None = None) -> Tensor:
        """(B, N, C) to (B, N, C). ``rotary`` is the table of x's positions, None for no rotation."""
        query, key, value = (_split(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        if rotary is not None:
            query, key = rotate(query, rotary), rotate(key, rotary)
        return self.proj(attend(query, key, value, key_mask))


class CrossAttention(nn.Module):
    """Multi-head attention of x on y."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.projq = nn.Linear(width, width)
        self.projk = nn.Linear(width, width)
        self.projv = nn.Linear(width, width)
        self.proj = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        rotary_x: Tensor | None = None,
        rotary_y: Tensor | None = None,
        key_mask: Tensor | None = None,
        want_mean_logit: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(B, N, C) attends to (B, M, C); returns (B, N, C) and, when asked, the (B, N) mean attention logit.

        The mean over all (allowed) keys and heads of the scaled logits q.k is the scaled dot product of the query
        with the mean key, so that no attention matrix is made for it.
        """
        query, key, value = (
            _split(self.projq(x), self.heads),
            _split(self.projk(y), self.heads),
            _split(self.projv(y), self.heads),
        )
        if rotary_x is not None and rotary_y is not None:
            query, key = rotate(query, rotary_x), rotate(key, rotary_y)
        result = self.proj(attend(query, key, value, key_mask))
        return result, mean_logit(query, key, key_mask) if want_mean_logit else None


def mean_logit(query: Tensor, key: Tensor, key_mask: Tensor | None = None) -> Tensor:
    """Mean over heads and keys of the scaled logits of (B, heads, N, d) on (B, heads, M, d): (B, N), float32."""
    query, key = query.float(), key.float()
    if key_mask is None:
        mean_key = key.mean(dim=2, keepdim=True)
    else:
        weight = key_mask[:, None, :, None].float()
        mean_key = (key * weight).sum(dim=2, keepdim=True) / weight.sum(dim=2, keepdim=True)
    return (query * mean_key).sum(dim=-1).mean(dim=1) * query.shape[-1] ** -0.5
