# SPDX-License-Identifier: GPL-3.0-or-later
"""TTT3R: how far each state token moves at test time (paper section 3.2, Test-Time Sequence Length Adaptation)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def state_gate(mean_logits: Sequence[Tensor]) -> Tensor:
    """The gate in 0..1 from each decoder layer's (B, state tokens) mean cross-attention logit."""
    return torch.stack(list(mean_logits)).mean(dim=0).sigmoid()


def gated_update(old: Tensor, new: Tensor, gate: Tensor) -> Tensor:
    """S <- gate * S_new + (1 - gate) * S_old: (B, tokens, D) states under a (B, tokens) gate."""
    weight = gate[..., None].to(new.dtype)
    return weight * new + (1 - weight) * old
