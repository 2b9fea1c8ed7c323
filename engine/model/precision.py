# SPDX-License-Identifier: GPL-3.0-or-later
"""Where half precision is good enough: one rule for files, for memory and for arithmetic.

The transformers' and the convolutional prior's matrix products bear it, and they are nearly all of the work. Float32
stay: sums along the residual paths, norms, learnt tokens and positions, the state, the gate, and all that becomes a
number in the scene (heads of people, places and camera), where metres are exponentials of what a layer says.
"""

from __future__ import annotations

from torch import Tensor

FLOAT32_PARTS = ("downstream_head.", "backbone.reader.")
"""Modules that hold and compute float32 whatever the precision, as their names in a checkpoint begin."""

_EMBEDDING = "register_tokens.weight"


def bears_half(key: str, tensor: Tensor) -> bool:
    """Whether the tensor of this name may be kept in half precision: a matrix or a kernel of the network's trunk."""
    return key.endswith(".weight") and tensor.dim() >= 2 and key != _EMBEDDING and not key.startswith(FLOAT32_PARTS)
