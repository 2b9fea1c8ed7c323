# SPDX-License-Identifier: GPL-3.0-or-later
"""The pose memory: what the camera has seen, asked for a pose token by each new frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import DecoderBlock
from .config import Human3RConfig


class PoseRetriever(nn.Module):
    """Learnt slots, blocks that read them and blocks that write them."""

    def __init__(self, config: Human3RConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.masked_token = nn.Parameter(torch.zeros(1, 1, width))
        self.mem = nn.Parameter(torch.zeros(1, config.memory_slots, 2 * width))
        self.proj_q = nn.Linear(config.encoder_width, width)
        self.write_blocks = nn.ModuleList(DecoderBlock(2 * width, config.memory_heads) for _ in range(2))
        self.read_blocks = nn.ModuleList(DecoderBlock(2 * width, config.memory_heads) for _ in range(2))

    def key(self, image_tokens: Tensor) -> Tensor:
        """(B, N, encoder width) image tokens to the (B, 1, D) key of the picture."""
        return self.proj_q(image_tokens.mean(dim=1, keepdim=True)).float()

    def read(self, key: Tensor, memory: Tensor) -> Tensor:
        """The (B, 1, D) pose token that the (B, slots, 2 D) memory has for a key."""
        query = torch.cat((key, self.masked_token.expand(len(key), -1, -1).to(key.dtype)), dim=-1)
        for block in self.read_blocks:
            query, _ = block(query, memory)
        return query[..., key.shape[-1] :]

    def write(self, memory: Tensor, key: Tensor, pose_token: Tensor) -> Tensor:
        """The (B, slots, 2 D) memory after it has seen the refined (B, 1, D) pose token of a key."""
        seen = torch.cat((key, pose_token), dim=-1)
        for block in self.write_blocks:
            memory, _ = block(memory, seen)
        return memory
