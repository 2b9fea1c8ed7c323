# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage above, the retargeted character below, for some frames side by side.

    python tools/compose_strip.py FOLDER FOOTAGE FRAMES STRIP.jpg

FOLDER holds what `tools/render_strip.py SCENE.blend FOLDER FRAMES` made. All tiles are cut to the part of the picture
that the character is in. Run in the engine's environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from compose_overview import BACKDROP, MARGIN, PAPER
from compose_people import _picture
from PIL import Image

TILE = (200, 240)
"""Width and height of a tile."""
AROUND = 0.25
"""Free space around the character, as a share of its size."""
COLUMNS = 6


def main(folder: Path, footage: Path, frames: list[int], strip: Path) -> None:
    made = [Image.open(folder / f"strip-{frame}.png").convert("RGBA") for frame in frames]
    seen = [_picture(footage, frame - 1).resize(made[0].size) for frame in frames]
    pairs = [_pair(footage_tile, character) for footage_tile, character in zip(seen, made, strict=True)]
    width, height = TILE
    rows = -(-len(pairs) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (width + MARGIN) + MARGIN, rows * (2 * height + 2 * MARGIN) + MARGIN), PAPER)
    for number, pair in enumerate(pairs):
        left = MARGIN + number % COLUMNS * (width + MARGIN)
        top = MARGIN + number // COLUMNS * (2 * height + 2 * MARGIN)
        for row, tile in enumerate(pair):
            sheet.paste(tile, (left, top + row * height))
    sheet.save(strip, quality=85)


def _pair(footage: Image.Image, character: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Both cut round the character, one below the other."""
    box = _box(np.asarray(character)[..., 3] > 0, character.size)
    behind = Image.new("RGBA", character.size, BACKDROP)
    shown = Image.alpha_composite(behind, character).convert("RGB")
    return footage.convert("RGB").crop(box).resize(TILE), shown.crop(box).resize(TILE)


def _box(shown: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box of the tiles' shape round what is shown; the whole picture's middle where nothing is."""
    rows, columns = np.nonzero(shown)
    if not len(rows):
        rows, columns = np.array([0, size[1]]), np.array([0, size[0]])
    half = (1 + 2 * AROUND) * max(np.ptp(rows) / TILE[1], np.ptp(columns) / TILE[0]) / 2
    middle = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    return (
        round(middle[0] - half * TILE[0]),
        round(middle[1] - half * TILE[1]),
        round(middle[0] + half * TILE[0]),
        round(middle[1] + half * TILE[1]),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), list(map(int, sys.argv[3].split(","))), Path(sys.argv[4]))
