# SPDX-License-Identifier: GPL-3.0-or-later
"""A loss on the tokens that the tracker tells people apart by; the paper has none, a small model is helped by one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..stages.person_tracking import DUSTBIN_SCORE


@dataclass(frozen=True)
class NamedTokens:
    """The people of one frame of a batch."""

    tokens: Tensor
    """(n, D) refined prompts."""
    clip: Tensor
    """(n,) int64 clip of each."""
    person: Tensor
    """(n,) int64 which person of the clip."""


def identity_loss(earlier: NamedTokens, now: NamedTokens) -> Tensor:
    """Cross-entropy of recognising everybody among all people of the earlier frame, as the tracker scores it.

    Scores are minus distances; whoever was not there belongs into the dustbin. People of other clips are other people.
    """
    if not len(now.tokens) or not len(earlier.tokens):
        return now.tokens.sum() * 0
    away = now.tokens.float()[:, None] - earlier.tokens.float()[None]
    scores = -(away.square().sum(dim=-1) + 1e-6).sqrt()
    scores = torch.cat((scores, scores.new_full((len(scores), 1), DUSTBIN_SCORE)), dim=1)
    same = (now.clip[:, None] == earlier.clip) & (now.person[:, None] == earlier.person)
    wanted = torch.where(same.any(dim=1), same.float().argmax(dim=1), len(earlier.tokens))
    return functional.cross_entropy(scores, wanted)
