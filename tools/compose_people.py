# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage, the bodies over it, and the scene from outside, in one picture.

    python tools/compose_people.py FOLDER NAME FOOTAGE FRAMES PICTURE.png

FOLDER holds what `tools/render_overview.py FOLDER FRAMES NAME.blend` made; FRAMES are scene frames with commas between,
one row each, the footage's own numbers plus one. Run in the engine's environment.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
from compose_overview import BACKDROP, HEADING, INK, MARGIN, PAPER
from PIL import Image, ImageDraw, ImageFont

WIDTH = 640
HEADINGS = ("Footage", "Reconstructed bodies over it", "The scene from outside")


def main(folder: Path, name: str, footage: Path, frames: list[int], picture: Path) -> None:
    save_sheet(HEADINGS, [_row(folder, name, footage, frame) for frame in frames], picture)


def save_sheet(headings: Sequence[str], rows: Sequence[Sequence[Image.Image]], picture: Path) -> None:
    """Rows of tiles that are WIDTH wide under their headings."""
    tops = [HEADING + sum(row[0].height + MARGIN for row in rows[:number]) for number in range(len(rows) + 1)]
    sheet = Image.new("RGB", (len(headings) * (WIDTH + MARGIN) + MARGIN, tops[-1]), PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, heading in enumerate(headings):
        left = MARGIN + column * (WIDTH + MARGIN)
        pen.text((left, 4), heading, INK, ImageFont.load_default(20))
        for top, row in zip(tops, rows, strict=False):
            sheet.paste(row[column], (left, top))
    unfinished = picture.with_name(f"{picture.stem}.part{picture.suffix}")
    sheet.save(unfinished, quality=85)
    unfinished.replace(picture)


def _row(folder: Path, name: str, footage: Path, frame: int) -> tuple[Image.Image, Image.Image, Image.Image]:
    """The three tiles of a frame, all of one size."""
    seen = footage_picture(footage, frame - 1)
    seen = seen.resize((WIDTH, round(WIDTH * seen.height / seen.width)))
    people, outside = (
        Image.open(folder / f"{name}-{view}-{frame}.png").convert("RGBA").resize(seen.size)
        for view in ("people", "outside")
    )
    behind = Image.new("RGBA", seen.size, BACKDROP)
    return seen, Image.alpha_composite(seen.convert("RGBA"), people), Image.alpha_composite(behind, outside)


def footage_picture(path: Path, index: int) -> Image.Image:
    """A frame of a video by its number; decoded from the beginning, for seeking is not exact."""
    video = cv2.VideoCapture(str(path))
    for _ in range(index):
        video.grab()
    _, bgr = video.read()
    return Image.fromarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), list(map(int, sys.argv[4].split(","))), Path(sys.argv[5]))
