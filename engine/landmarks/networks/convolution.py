# SPDX-License-Identifier: GPL-3.0-or-later
"""The convolutions of the stored networks, which are nearly all of their work, and what makes them fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...contract.logs import log

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda x: x,
    "relu": lambda x: x.relu_(),
    "relu6": lambda x: x.clamp_(0, 6),
}
"""In place: the value is the operation's own."""

_SIZES = 4
"""Sizes of maps for which a kernel is kept in oneDNN's order; the frames of a clip and their tiles need no more."""

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
        self.fused = False
        self.packed: dict[tuple[int, ...], Tensor] = {}

    def fuse(self) -> None:
        """On the CPU, let oneDNN apply the activation while it writes, and hold the kernel in its own order.

        That takes a tenth to a fifth off. Where PyTorch lacks oneDNN, or that the precision, all stays as it was.
        """
        self.fused, self.packed = True, {}
        side = max(self.weight.shape[2:])
        channels = self.weight.shape[1] * self.groups
        try:
            self(torch.zeros(1, channels, side, side, dtype=self.weight.dtype))
        except (AttributeError, NotImplementedError, RuntimeError) as error:
            log.debug("convolutions run without oneDNN's activations: %s", error)
            self.fused = False
        self.packed = {}

    def forward(self, x: Tensor) -> Tensor:
        if not self.fused:
            made = functional.conv2d(x, self.weight, self.bias, self.stride, self.padding, 1, self.groups)
            return self.activate(made)
        return torch.ops.mkldnn._convolution_pointwise(
            *(x, self._kernel(x), self.bias, self.padding, [self.stride] * 2, [1, 1], self.groups),
            *_FUSED[self.activation],
        )

    def _kernel(self, x: Tensor) -> Tensor:
        """The kernel in oneDNN's order for maps of this size. The order for another size is right as well, but slow."""
        size = tuple(x.shape[2:])
        if size not in self.packed and len(self.packed) < _SIZES:
            self.packed[size] = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight.data, self.padding, [self.stride] * 2, [1, 1], self.groups, list(x.shape)
            )
        return self.packed.get(size, self.weight)


def _evenly_padded(kernel: Tensor, border: list[int]) -> tuple[Tensor, list[int]]:
    """A kernel with padding alike on both sides, which needs no padded copy of its input; and that padding, for rows
    and columns. Where one more is padded behind than before, the kernel gets a row or column of zeros before it."""
    left, right, top, bottom = border
    kernel = functional.pad(kernel, (right - left, 0, bottom - top, 0))
    return kernel.contiguous(memory_format=torch.channels_last), [bottom, right]
