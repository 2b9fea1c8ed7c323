# SPDX-License-Identifier: GPL-3.0-or-later
"""Deterministic random weights: each tensor is filled from its own name, so that any two programs agree on them.

They make the architecture run without a download (tests, timing, demonstration); what it then sees means nothing.
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

_ALIAS = re.compile(r"scratch\.layer_rn\.(\d)\.")
_DENSE_OUTPUT = re.compile(r"downstream_head\.dpt_\w+\.head\.4\.weight")


@dataclass(frozen=True)
class Recipe:
    """The numbers that differ between sets of recipe weights; the defaults are those of the full-size golden run."""

    theta: float = 0.305
    """Raw classifier value (times the sign of a ``cls_gain`` of 4 or -4) that lands on the detection threshold 0.3."""
    cls_gain: float = 4.0
    """Gain of the detection classifier: its size spreads the scores, its sign chooses which heads are found."""
    dec_gain: float = 0.4
    """Gain of the decoder's final norm, which sets the distances between the tokens of people."""


def canonical_key(key: str) -> str:
    """The name that a tensor is filled from: the fusion path's layers have two names."""
    return _ALIAS.sub(lambda match: f"scratch.layer{int(match[1]) + 1}_rn.", key)


def fill_with_recipe(model: nn.Module, recipe: Recipe) -> None:
    """Fill every parameter and buffer of the model in place. They must be float32 and on the CPU."""
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            fill_tensor(key, tensor.numpy(), recipe)


def fill_tensor(key: str, values: np.ndarray, recipe: Recipe) -> None:
    """Fill the one float32 tensor of this name in place: a full-size model leaves no room for copies."""
    key = canonical_key(key)
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode("utf-8"))))
    generator.standard_normal(out=values, dtype=np.float32)
    if values.ndim <= 1:
        if key.endswith((".weight", ".gamma")):
            values *= np.float32(0.1)
            values += np.float32(1)
        else:
            values *= np.float32(0.05)
    elif not key.endswith(".weight") or key == "register_tokens.weight":
        values *= np.float32(0.5)
    else:
        values *= np.float32(1 / math.sqrt(math.prod(values.shape[1:])))
    gain, offset = _override(key, recipe)
    values *= np.float32(gain)
    values += np.float32(offset)


def _override(key: str, recipe: Recipe) -> tuple[float, float]:
    if key == "downstream_head.mlp_classif.2.weight":
        return recipe.cls_gain, 0.0
    if key == "downstream_head.mlp_classif.2.bias":
        return recipe.cls_gain, math.log(0.3 / 0.7) - 4 * recipe.theta
    if key in ("dec_norm.weight", "dec_norm.bias"):
        return recipe.dec_gain, 0.0
    if _DENSE_OUTPUT.fullmatch(key):
        return 0.25, 0.0
    return 1.0, 0.0
