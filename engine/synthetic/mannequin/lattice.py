# SPDX-License-Identifier: GPL-3.0-or-later
"""The mannequin's topology: blocks of a three-dimensional grid, whose outside is a closed mesh of quads.

Lattice axes are the body's: i to the person's left, j up, k forward. Only the left side and the middle are listed; the
right side is the mirror image, so the mesh is symmetric by construction. Where blocks meet, edge loops run on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np


@dataclass(frozen=True)
class Block:
    """A box of cells [low, high) that belongs to one part of the body."""

    part: str
    low: tuple[int, int, int]
    high: tuple[int, int, int]


TORSO_HALF, TORSO_DEPTH, TORSO_ROWS = 7, 7, 28
LEG_ROWS, ANKLE_ROWS, FOOT_LENGTH = 36, 4, 13
FOOT_LOW = -LEG_ROWS - ANKLE_ROWS
TOES_START = FOOT_LENGTH + 3
TOE_ROWS = {"toe1": 4, "toe2": 4, "toe3": 4, "toe4": 3, "toe5": 3}
TOE_CELLS = {"toe1": (1, 3), "toe2": (4, 5), "toe3": (6, 7), "toe4": (8, 9), "toe5": (10, 11)}
ARM_START, ARM_END, WRIST_END = TORSO_HALF, 34, 36
PALM_END = 43
NECK_ROWS = 5
HEAD_LOW, HEAD_ROWS, HEAD_HALF, HEAD_DEPTH = TORSO_ROWS + NECK_ROWS, 28, 11, 11
# Ranges of i, of rows above HEAD_LOW, and of k. The mouth and the left eye are hollows, nose and left ear stand out.
MOUTH_CELLS = ((-4, 4), (7, 8), (8, HEAD_DEPTH))
EYE_CELLS = ((3, 8), (19, 21), (9, HEAD_DEPTH))
NOSE_CELLS = ((-2, 2), (13, 19), (HEAD_DEPTH, HEAD_DEPTH + 1))
EAR_CELLS = ((HEAD_HALF, HEAD_HALF + 2), (13, 23), (1, 5))
FINGER_ROWS = {"index": 15, "middle": 16, "ring": 15, "pinky": 13}
FINGER_CELLS = {"pinky": -2, "ring": 1, "middle": 4, "index": 7}
THUMB_ROWS = 13


def _on_head(part: str, cells: tuple[tuple[int, int], ...]) -> Block:
    (left, right), (low, high), (back, front) = cells
    return Block(part, (left, HEAD_LOW + low, back), (right, HEAD_LOW + high, front))


BLOCKS: tuple[Block, ...] = (
    Block("torso", (-TORSO_HALF, 0, 0), (TORSO_HALF, TORSO_ROWS, TORSO_DEPTH)),
    Block("leg", (1, -LEG_ROWS, 0), (TORSO_HALF, 0, 7)),
    Block("foot", (1, FOOT_LOW, 0), (TORSO_HALF, -LEG_ROWS, FOOT_LENGTH)),
    Block("foot", (1, FOOT_LOW, FOOT_LENGTH), (11, FOOT_LOW + 2, TOES_START)),
    *(
        Block(toe, (TOE_CELLS[toe][0], FOOT_LOW, TOES_START), (TOE_CELLS[toe][1], FOOT_LOW + 2, TOES_START + rows))
        for toe, rows in TOE_ROWS.items()
    ),
    Block("arm", (ARM_START, 22, 1), (ARM_END, 28, 6)),
    Block("arm", (ARM_END, 23, 1), (WRIST_END, 27, 6)),
    Block("palm", (WRIST_END, 24, 0), (WRIST_END + 1, 26, 7)),
    Block("palm", (WRIST_END + 1, 24, -2), (PALM_END, 26, 9)),
    *(
        Block(finger, (PALM_END, 24, FINGER_CELLS[finger]), (PALM_END + rows, 26, FINGER_CELLS[finger] + 2))
        for finger, rows in FINGER_ROWS.items()
    ),
    Block("thumb", (WRIST_END + 1, 24, 9), (WRIST_END + 4, 26, 9 + THUMB_ROWS)),
    Block("neck", (-3, TORSO_ROWS, 1), (3, HEAD_LOW, 6)),
    Block("head", (-HEAD_HALF, HEAD_LOW, -4), (HEAD_HALF, HEAD_LOW + HEAD_ROWS, HEAD_DEPTH)),
    _on_head("head", NOSE_CELLS),
    _on_head("head", EAR_CELLS),
)

HOLLOWS: tuple[Block, ...] = (_on_head("mouth", MOUTH_CELLS), _on_head("eye socket", EYE_CELLS))


@dataclass(frozen=True)
class Lattice:
    """The outside of all blocks."""

    points: np.ndarray
    """(N, 3) integer lattice coordinates of the vertices."""
    quads: np.ndarray
    """(Q, 4) vertex indices, counter-clockwise seen from outside."""
    quad_part: np.ndarray
    """(Q,) index into `PARTS` of the cell behind each quad."""
    mirror: np.ndarray
    """(N,) the vertex at (-i, j, k)."""


PARTS: tuple[str, ...] = tuple(dict.fromkeys(block.part for block in BLOCKS))

_CORNERS = {
    (1, 0, 0): ((1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)),
    (-1, 0, 0): ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0)),
    (0, 1, 0): ((0, 1, 0), (0, 1, 1), (1, 1, 1), (1, 1, 0)),
    (0, -1, 0): ((0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)),
    (0, 0, 1): ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)),
    (0, 0, -1): ((0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 0)),
}


def _cells(block: Block) -> list[tuple[int, int, int]]:
    """Cells of the block and of its mirror image."""
    i_range, j_range, k_range = (range(low, high) for low, high in zip(block.low, block.high, strict=True))
    left = list(product(i_range, j_range, k_range))
    return left + [(-1 - i, j, k) for i, j, k in left]


def build_lattice() -> Lattice:
    """Cells of all blocks and of their mirror images, and the quads between cells and nothing."""
    cells: dict[tuple[int, int, int], int] = {}
    for block in BLOCKS:
        cells |= dict.fromkeys(_cells(block), PARTS.index(block.part))
    for block in HOLLOWS:
        for cell in _cells(block):
            cells.pop(cell, None)
    corners, parts = [], []
    for (i, j, k), part in sorted(cells.items()):
        for (di, dj, dk), offsets in _CORNERS.items():
            if (i + di, j + dj, k + dk) not in cells:
                corners.append([(i + a, j + b, k + c) for a, b, c in offsets])
                parts.append(part)
    flat = np.array(corners).reshape(-1, 3)
    points, inverse = np.unique(flat, axis=0, return_inverse=True)
    index = {tuple(point): n for n, point in enumerate(points.tolist())}
    mirror = np.array([index[(-i, j, k)] for i, j, k in points.tolist()])
    return Lattice(points, inverse.reshape(-1, 4), np.array(parts), mirror)
