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
from torch.nn import functional

from ..contract.errors import UserError

DTYPES = {
    "float32": torch.float32,
    "exact": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
"""What ``CaptureSettings.precision`` means, once :func:`chosen_precision` has settled ``auto``."""

_FIRST_WITH_BFLOAT16 = 8
"""CUDA's major compute capability (Ampere)."""

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


def chosen_precision(precision: str, device: torch.device) -> str:
    """What ``auto`` comes to on a device: half precision where its matrix products are faster, else float32."""
    if precision != "auto":
        return precision
    if device.type != "cuda":
        return "float32"
    return "bfloat16" if torch.cuda.get_device_capability(device)[0] >= _FIRST_WITH_BFLOAT16 else "float16"


def product_type(precision: str, device: torch.device) -> torch.dtype | None:
    """The half type that matrix products are computed in; None for float32.

    A processor without instructions for a half type computes a small fraction of the products in it that it does in
    float32: there the weights are kept in half precision, and widened for each product (:func:`widen`).
    """
    dtype = DTYPES[chosen_precision(precision, device)]
    if dtype == torch.float32 or (device.type == "cpu" and not _processor_computes(dtype)):
        return None
    return dtype


def _processor_computes(dtype: torch.dtype) -> bool:
    if dtype == torch.float16:
        return torch.cpu._is_amx_fp16_supported()
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


class _WideLinear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight.float(), self.bias)


class _WideConv2d(nn.Conv2d):
    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight.float(), self.bias)


def widen(model: nn.Module) -> None:
    """Let layers whose weights are in half precision compute in float32, in place: exactly, with little memory."""
    for module in model.modules():
        for plain, wide in ((nn.Linear, _WideLinear), (nn.Conv2d, _WideConv2d)):
            if type(module) is plain and module.weight.dtype != torch.float32:
                module.__class__ = wide


def let_products_be_short(precision: str, device: torch.device) -> None:
    """CUDA's float32 products: TF32, which rounds factors to 10 bits, unless the precision is ``exact``."""
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "exact"


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
