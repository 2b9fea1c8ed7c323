# SPDX-License-Identifier: GPL-3.0-or-later
"""Surface patterns: a small fixed bank of grey tiles with mip levels, looked up per pixel and tinted per surface."""

from __future__ import annotations

import functools

import torch

from .dice import Dice

TILE = 64
"""Edge of a tile in texels at the finest level; tiles repeat."""
LEVELS = 5
PATTERNS = 48


@functools.cache
def bank(device: torch.device) -> torch.Tensor:
    """(texels,) grey values in 0..1 of all patterns, level after level, each level (PATTERNS, edge, edge)."""
    tiles = _draw_tiles(Dice(torch.arange(PATTERNS) + 77_000))
    levels = []
    for _ in range(LEVELS):
        levels.append(tiles.flatten())
        tiles = torch.nn.functional.avg_pool2d(tiles[:, None], 2)[:, 0]
    return torch.cat(levels).to(device)


def look_up(pattern: torch.Tensor, u: torch.Tensor, v: torch.Tensor, texels_per_pixel: torch.Tensor) -> torch.Tensor:
    """Grey in 0..1 at (...) tile coordinates (1 is one repetition), smoothly between texels.

    `pattern` (...) picks the tile, `texels_per_pixel` (...) at the finest level chooses the mip level.
    """
    level = torch.log2(texels_per_pixel.clamp_min(1.0)).round().clamp_max(LEVELS - 1).long()
    edge = TILE >> level
    # Texels in all finer levels: PATTERNS * TILE^2 * (1 + 1/4 + ...).
    offset = PATTERNS * (4 * (TILE * TILE - edge * edge)) // 3 + pattern * edge * edge
    x, y = u * edge - 0.5, v * edge - 0.5
    column, row = x.floor(), y.floor()
    fx, fy = x - column, y - row
    column, row = column.long(), row.long()
    wrap = edge - 1  # edges are powers of two
    left, right = column & wrap, (column + 1) & wrap
    above, below = offset + (row & wrap) * edge, offset + ((row + 1) & wrap) * edge
    texels = bank(u.device)

    def texel(index: torch.Tensor) -> torch.Tensor:
        return texels.index_select(0, index.flatten()).reshape(u.shape)

    first = torch.lerp(texel(above + left), texel(above + right), fx)
    second = torch.lerp(texel(below + left), texel(below + right), fx)
    return torch.lerp(first, second, fy)


def _draw_tiles(dice: Dice) -> torch.Tensor:
    """(PATTERNS, TILE, TILE): each eighth pattern is of the same kind."""
    noise = {cells: _value_noise(dice, cells) for cells in (4, 8, 16, 32)}
    rough = 0.4 * noise[4] + 0.3 * noise[8] + 0.2 * noise[16] + 0.1 * noise[32]
    grid = torch.arange(TILE)
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    number = dice.integer("number", 1, 3)[:, None, None]
    cell = TILE // (2 * number.float())
    checker = ((x / cell).floor() + (y / cell).floor()) % 2
    stripes = ((x / cell).floor() % 2).expand(PATTERNS, TILE, TILE)
    course = (y // 16) % 4
    bricks = 1.0 - ((y % 16 < 2) | ((x + 8 * (course % 2) * 2) % 32 < 2)).float()
    planks = 1.0 - (((x % 16) < 1) | ((y + 23 * (x // 16)) % 64 < 1)).float()
    mosaic = dice.uniform("mosaic", 0.0, 1.0, 8, 8).repeat_interleave(8, 1).repeat_interleave(8, 2)
    fine = dice.uniform("fine", 0.0, 1.0, 16, 16).repeat_interleave(4, 1).repeat_interleave(4, 2)
    dots = (((x % 16) - 8.0) ** 2 + ((y % 16) - 8.0) ** 2 < 20.0).float().expand(PATTERNS, TILE, TILE)
    kinds = torch.stack([
        rough, 0.7 * checker + 0.3 * rough, 0.6 * stripes + 0.4 * rough, 0.7 * bricks + 0.3 * noise[16],
        0.6 * planks + 0.4 * noise[16], 0.75 * mosaic + 0.25 * rough, 0.6 * fine + 0.4 * rough,
        0.5 * dots + 0.5 * rough,
    ])  # fmt: skip
    pick = torch.arange(PATTERNS)
    tiles = kinds[pick % len(kinds), pick]
    low, high = tiles.amin((1, 2), keepdim=True), tiles.amax((1, 2), keepdim=True)
    return (tiles - low) / (high - low)


def _value_noise(dice: Dice, cells: int) -> torch.Tensor:
    """(PATTERNS, TILE, TILE) smooth noise with the given number of cells per tile, repeating."""
    values = dice.uniform(f"noise {cells}", 0.0, 1.0, cells, cells)
    wrapped = torch.nn.functional.pad(values[:, None], (1, 1, 1, 1), mode="circular")
    factor = TILE // cells
    smooth = torch.nn.functional.interpolate(wrapped, scale_factor=factor, mode="bilinear", align_corners=False)
    return smooth[:, 0, factor:-factor, factor:-factor]
