# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage, the scene through its camera, and the scene from outside, a row for each of several scenes.

    python tools/compose_camera.py FOLDER PICTURE.jpg NAME=FOOTAGE:FRAME [NAME=FOOTAGE:FRAME ...]

FOLDER holds what `tools/camera_views.py FOLDER NAME.blend:FRAME ...` made, a scene frame being the footage's number
plus one. A footage is a video or a folder of images. Run in the engine's environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

from compose_overview import BACKDROP
from compose_people import WIDTH, footage_picture, save_sheet
from PIL import Image

HEADINGS = ("Footage", "The scene through its camera", "The scene from outside")


def main(folder: Path, picture: Path, scenes: list[str]) -> None:
    save_sheet(HEADINGS, [_row(folder, *scene.split("=", 1)) for scene in scenes], picture)


def _row(folder: Path, name: str, footage_and_frame: str) -> list[Image.Image]:
    path, _, frame = footage_and_frame.rpartition(":")
    index = int(frame) - 1
    if Path(path).is_dir():
        seen = Image.open(sorted(Path(path).glob("*.png"))[index]).convert("RGB")
    else:
        seen = footage_picture(Path(path), index)
    seen = seen.resize((WIDTH, round(WIDTH * seen.height / seen.width)))
    views = [
        Image.open(folder / f"{name}-{view}.png").convert("RGBA").resize(seen.size) for view in ("camera", "outside")
    ]
    behind = Image.new("RGBA", seen.size, BACKDROP)
    return [seen, *(Image.alpha_composite(behind, view).convert("RGB") for view in views)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
