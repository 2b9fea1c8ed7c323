# SPDX-License-Identifier: GPL-3.0-or-later
"""The convolutions of the stored networks, which are nearly all of their work, and what makes them fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda x: x,
    "relu": lambda x: x.relu_(),
    "relu6": lambda x: x.clamp_(0, 6),
}
"""In place: the value is the operation's own."""

_FUSED: dict[str, tuple[str, list[float], str]] = {
    "": ("none", [], ""),
    "relu": ("relu", [], ""),
    "relu6": ("hardtanh", [0.0, 6.0], ""),
}
"""What oneDNN calls the activations that it applies while it writes."""


class Convolution(nn.Module):
    """A convolution, depthwise or not, with its activation."""

    def __init__(self, item: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        kernel, self.padding = _evenly_padded(weights[item["weight"]].float(), item["padding"])
        self.weight = nn.Parameter(kernel, requires_grad=False)
        self.bias = nn.Parameter(weights[item["bias"]].float(), requires_grad=False) if "bias" in item else None
        self.stride, self.groups, self.activation = item["stride"], item["groups"], item["activation"]
        self.activate = ACTIVATIONS[self.activation]
        self.packed: Tensor | None = None

    def pack(self) -> None:
        """On the CPU, let oneDNN hold the kernel in the order that it computes in, and apply the activation itself: a
        fifth less time. Where PyTorch lacks oneDNN, or it lacks the precision, all stays as it was."""
        self.packed = None
        try:
            steps = [self.stride] * 2
            self.packed = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight.data, self.padding, steps, [1, 1], self.groups, []
            )
            side = max(self.weight.shape[2:])
            channels = self.weight.shape[1] * self.groups
            self(torch.zeros(1, channels, side, side, dtype=self.weight.dtype))
        except (AttributeError, NotImplementedError, RuntimeError):
            self.packed = None

    def forward(self, x: Tensor) -> Tensor:
        if self.packed is None:
            made = functional.conv2d(x, self.weight, self.bias, self.stride, self.padding, 1, self.groups)
            return self.activate(made)
        return torch.ops.mkldnn._convolution_pointwise(
            *(x, self.packed, self.bias, self.padding, [self.stride] * 2, [1, 1], self.groups),
            *_FUSED[self.activation],
        )


def _evenly_padded(kernel: Tensor, border: list[int]) -> tuple[Tensor, list[int]]:
    """A kernel with padding alike on both sides, which needs no padded copy of its input; and that padding, for rows
    and columns. Where one more is padded behind than before, the kernel gets a row or column of zeros before it."""
    left, right, top, bottom = border
    kernel = functional.pad(kernel, (right - left, 0, bottom - top, 0))
    return kernel.contiguous(memory_format=torch.channels_last), [bottom, right]
