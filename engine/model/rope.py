# SPDX-License-Identifier: GPL-3.0-or-later
"""Two-dimensional rotary position embedding, for any integer position, -1 included."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import ROPE_BASE


def rotary_table(positions: Tensor, head_width: int) -> Tensor:
    """Cosines and sines that :func:`rotate` turns queries and keys by.

    ``positions`` is (B, N, 2), (row, column). Half of a head's ``head_width`` channels follow the row, half the
    column; in a half of d channels, channel i pairs with i + d/2 and turns by position * 100 ** (-2 i / d).
    Returns (2, B, 1, N, 2, d/2) float32.
    """
    half = head_width // 2
    exponents = torch.arange(0, half, 2, dtype=torch.float32, device=positions.device) / half
    angles = positions.to(torch.float32)[..., None] * ROPE_BASE**-exponents
    return torch.stack((angles.cos(), angles.sin()))[:, :, None]


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn (B, heads, N, head width) queries or keys by the table of their positions."""
    first, second = x.unflatten(-1, (2, 2, -1)).unbind(-2)
    cosine, sine = table
    turned = torch.stack((first * cosine - second * sine, second * cosine + first * sine), dim=-2)
    return turned.flatten(-3).to(x.dtype)


def grid_positions(rows: int, columns: int, device: torch.device | None = None) -> Tensor:
    """(rows * columns, 2) positions (row, column) of a grid in row-major order."""
    return torch.cartesian_prod(torch.arange(rows, device=device), torch.arange(columns, device=device))


def state_positions(count: int, device: torch.device | None = None) -> Tensor:
    """(count, 2) positions of the state tokens: row-major on a grid as wide as the root of their number, made even."""
    width = state_grid_width(count)
    index = torch.arange(count, device=device)
    return torch.stack((index // width, index % width), dim=-1)


def state_grid_width(count: int) -> int:
    """Width of the grid that ``count`` state tokens lie on."""
    width = int(count**0.5)
    return width + width % 2
