# SPDX-License-Identifier: GPL-3.0-or-later
"""Where half precision is good enough: one rule for files, for memory and for arithmetic.

The matrix products of the network's trunk (image encoder, human prior, both decoders, pose memory) bear it, and they
are nearly all of the work. Float32 stay: sums along the residual paths, norms, learnt tokens and positions, the state,
the gate, and all that becomes a number in the scene (heads of people, place and camera), where metres are exponentials
of what a layer says and float16 would end at 65,504.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..contract.errors import UserError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""What ``CaptureSettings.precision`` means."""

FLOAT32_PARTS = ("downstream_head.", "backbone.reader.")
"""Modules that hold and compute float32 whatever the precision, as their names in a checkpoint begin."""

_EMBEDDING = "register_tokens.weight"


def bears_half(key: str, tensor: Tensor) -> bool:
    """Whether the tensor of this name may be kept in half precision: a matrix or a kernel of the network's trunk."""
    return key.endswith(".weight") and tensor.dim() >= 2 and key != _EMBEDDING and not key.startswith(FLOAT32_PARTS)


def shorten(model: nn.Module, dtype: torch.dtype) -> None:
    """Keep what bears it in a half-precision type, in place. Such a model needs autocast to the same type to run."""
    if dtype != torch.float32:
        for key, parameter in model.named_parameters():
            if bears_half(key, parameter):
                parameter.data = parameter.data.to(dtype)


def in_float32(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Let a module's method compute in float32 within autocast. Training decides for itself: it keeps its autocast."""

    @functools.wraps(forward)
    def run(module: nn.Module, *arguments: Any) -> Any:
        if module.training:
            return forward(module, *arguments)
        with torch.autocast(next(module.parameters()).device.type, enabled=False):
            return forward(module, *arguments)

    return run


def require_precision(device: torch.device, precision: str) -> None:
    """Raises UserError (``precision-missing``) where the device cannot compute in this type (bfloat16 on old Metal)."""
    try:
        torch.ones(1, dtype=DTYPES[precision], device=device).add(1)
    except (RuntimeError, TypeError) as error:
        raise UserError(
            "precision-missing",
            "The device {device} cannot compute in {precision}: {reason}.",
            "Choose the precision float32 or float16.",
            device=device.type,
            precision=precision,
            reason=str(error).splitlines()[0],
        ) from error
