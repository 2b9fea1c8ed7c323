# SPDX-License-Identifier: GPL-3.0-or-later
"""All clips of a job at a glance: a picture of each with its name, and a red field where something is missing."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ..contract.whole_file import whole_file
from ..farm.places import picture_path

WIDTH, HEIGHT, LINE = 240, 135, 20
"""Pixels of a tile, and of the line with its name below."""

_BACKGROUND, _EMPTY, _MISSING, _TEXT = (24, 24, 24), (60, 60, 60), (120, 30, 30), (230, 230, 230)


def write_sheet(path: Path, folder: Path, clips: Sequence[tuple[str, bool]]) -> None:
    """Write the sheet of the clips, each with its name and whether all of it is there. Raises OSError."""
    columns = max(1, math.ceil(math.sqrt(len(clips))))
    rows = math.ceil(len(clips) / columns)
    sheet = Image.new("RGB", (columns * WIDTH, rows * (HEIGHT + LINE)), _BACKGROUND)
    for number, (name, is_whole) in enumerate(clips):
        place = (number % columns * WIDTH, number // columns * (HEIGHT + LINE))
        _draw_tile(sheet, place, picture_path(folder / f"{name}.h3r"), f"{number + 1} {_plain(name)}", is_whole)
    with whole_file(path) as written:
        sheet.save(written, "JPEG", quality=85)


def _plain(name: str) -> str:
    """A name in the letters that Pillow's own font has; the number before it says which row of the summary it is."""
    return unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode("ascii")


def _draw_tile(sheet: Image.Image, place: tuple[int, int], picture: Path, text: str, is_whole: bool) -> None:
    left, top = place
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((left, top, left + WIDTH - 2, top + HEIGHT - 2), _EMPTY if is_whole else _MISSING)
    try:
        with Image.open(picture) as image:
            shown = image.convert("RGB")
            shown.thumbnail((WIDTH - 2, HEIGHT - 2))
            if is_whole:
                sheet.paste(shown, (left + (WIDTH - shown.width) // 2, top + (HEIGHT - shown.height) // 2))
    except (OSError, ValueError):
        pass
    draw.text((left + 4, top + HEIGHT + 2), text[:36], _TEXT, ImageFont.load_default(12))
