# SPDX-License-Identifier: GPL-3.0-or-later
"""Random numbers as a pure function of (seed, name): the same on every device, for any batch, in any order.

A clip must follow from its seed alone, yet thousands are made at once on a GPU. So numbers are not taken from a
stateful generator but hashed (the SplitMix64 finaliser) from the seed, the name of the draw and the element's index.
Draws are named; adding one leaves all others as they were.
"""

from __future__ import annotations

import math
import zlib

import torch

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer
_MIX1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX2 = -7723592293110705685  # 0x94D049BB133111EB


class Dice:
    """Named random draws for a batch of seeds, int64 of any shape. Every draw has the seeds' shape in front."""

    def __init__(self, seeds: torch.Tensor) -> None:
        self.seeds = seeds.to(torch.int64)

    def fork(self, name: str, count: int | None = None) -> Dice:
        """Independent dice under a name; with `count` a row of them, as a new last dimension of the seeds."""
        return Dice(self._bits(name, () if count is None else (count,)))

    def uniform(self, name: str, low: float | torch.Tensor, high: float | torch.Tensor, *shape: int) -> torch.Tensor:
        """Float32 in [low, high), of shape (*seeds, *shape); `low` and `high` may be tensors that broadcast to it."""
        unit = ((self._bits(name, shape) >> 40) & 0xFFFFFF).to(torch.float32) * 2.0**-24
        return low + (high - low) * unit

    def normal(self, name: str, *shape: int) -> torch.Tensor:
        """Standard normal float32, (*seeds, *shape), by Box and Muller."""
        radius = torch.sqrt(-2.0 * torch.log1p(-self.uniform(name, 0.0, 1.0, *shape)))
        return radius * torch.cos(2.0 * math.pi * self.uniform(name + "'", 0.0, 1.0, *shape))

    def chance(self, name: str, probability: float | torch.Tensor, *shape: int) -> torch.Tensor:
        """Bool, true with the given probability."""
        return self.uniform(name, 0.0, 1.0, *shape) < probability

    def integer(self, name: str, low: int, high: int, *shape: int) -> torch.Tensor:
        """Int64 in [low, high], both ends included."""
        return low + (self.uniform(name, 0.0, 1.0, *shape) * (high - low + 1)).to(torch.int64)

    def choice(self, name: str, weights: tuple[float, ...], *shape: int) -> torch.Tensor:
        """Int64 index into `weights`, drawn in their proportion."""
        bounds = torch.tensor(weights, dtype=torch.float64).cumsum(0)
        bounds = (bounds / bounds[-1])[:-1].to(torch.float32).to(self.seeds.device)
        return torch.bucketize(self.uniform(name, 0.0, 1.0, *shape), bounds, right=True)

    def _bits(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        stream = _mix(self.seeds + _wrap(_GOLDEN * (zlib.crc32(name.encode()) + 1)))
        index = torch.arange(1, math.prod(shape) + 1, device=self.seeds.device).reshape(shape)
        return _mix(stream.reshape(*self.seeds.shape, *(1,) * len(shape)) + index * _GOLDEN)


def _mix(bits: torch.Tensor) -> torch.Tensor:
    """SplitMix64's finaliser; int64 wraps like uint64, only the shifts have to be made logical."""
    bits = (bits ^ ((bits >> 30) & 0x3FFFFFFFF)) * _MIX1
    bits = (bits ^ ((bits >> 27) & 0x1FFFFFFFFF)) * _MIX2
    return bits ^ ((bits >> 31) & 0x1FFFFFFFF)


def _wrap(value: int) -> int:
    """A Python integer as the signed 64-bit one with the same lower bits."""
    return (value + 2**63) % 2**64 - 2**63
