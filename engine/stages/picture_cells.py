# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells of the picture, so that a thing full of corners counts for no more than what it fills."""

from __future__ import annotations

import numpy as np

CELLS = 10
"""Along the long side."""


def cells_of(pixel: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(N,) int: the number of the cell of a (h, w) picture that each of (N, 2) pixels lies in."""
    edge = max(picture.shape) / CELLS
    column, row = np.floor((pixel + 0.5) / edge).clip(0, CELLS - 1).astype(int).T
    return row * CELLS + column


def over_cells(value: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """(K,) the median of (N,) values in each of the cells that hold any, by the cells' numbers."""
    return np.array([np.median(value[cell == number]) for number in np.unique(cell)])
