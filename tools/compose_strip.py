# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage above, retargeted characters below, for some frames side by side.

    python tools/compose_strip.py FOLDER FOOTAGE FRAMES STRIP.jpg

FOLDER holds what `tools/render_strip.py SCENE.blend FOLDER FRAMES` made. Run in the engine's environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

from compose_overview import BACKDROP, MARGIN, PAPER
from compose_people import footage_picture
from PIL import Image

WIDTH = 360
"""Of a tile, pixels."""
COLUMNS = 4


def main(folder: Path, footage: Path, frames: list[int], strip: Path) -> None:
    pairs = [_pair(footage_picture(footage, frame - 1), Image.open(folder / f"strip-{frame}.png")) for frame in frames]
    height = pairs[0][0].height
    wide, high = WIDTH + MARGIN, 2 * height + MARGIN
    sheet = Image.new("RGB", (COLUMNS * wide + MARGIN, -(-len(pairs) // COLUMNS) * high + MARGIN), PAPER)
    for number, pair in enumerate(pairs):
        left, top = MARGIN + number % COLUMNS * wide, MARGIN + number // COLUMNS * high
        for row, tile in enumerate(pair):
            sheet.paste(tile, (left, top + row * height))
    sheet.save(strip, quality=85)


def _pair(footage: Image.Image, character: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Both as tiles of one size."""
    size = WIDTH, round(WIDTH * footage.height / footage.width)
    behind = Image.new("RGBA", size, BACKDROP)
    shown = Image.alpha_composite(behind, character.convert("RGBA").resize(size))
    return footage.convert("RGB").resize(size), shown.convert("RGB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), list(map(int, sys.argv[3].split(","))), Path(sys.argv[4]))
