# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage, ground truth and reconstruction side by side in one picture, with the measured figures.

    python tools/compose_overview.py FOLDER FOOTAGE INDEX REPORT.json PICTURE.png

FOLDER holds what `tools/render_overview.py` made of `truth.blend` and `demo.blend`; REPORT.json is what `python -m
engine evaluate --take --truth --json` wrote. Run in the engine's environment.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
from PIL import Image, ImageDraw, ImageFont

SIZE = (512, 384)
MARGIN, HEADING = 8, 30
PAPER, INK, FAINT = (250, 250, 248), (30, 30, 34), (110, 110, 116)
BACKDROP = (226, 228, 232, 255)
FIGURES = (
    ("f1", "People found, F1", "{:.2f}", 1),
    ("idf1", "Identities, IDF1", "{:.2f}", 1),
    ("mpjpe_mm", "Joints, MPJPE", "{:.0f} mm", 1),
    ("pa_mpjpe_mm", "Pose, PA-MPJPE", "{:.0f} mm", 1),
    ("root_orientation_deg", "Orientation", "{:.0f}\N{DEGREE SIGN}", 1),
    ("head_m", "Head position", "{:.2f} m", 1),
    ("abs_rel", "Depth, AbsRel", "{:.0f} %", 100),
    ("focal_relative", "Focal length", "{:.0f} %", 100),
    ("ate_rigid_m", "Camera path, ATE", "{:.2f} m", 1),
)
"""Key in the report, what to call it, how to write it, factor."""


def main(folder: Path, footage: Path, index: int, report: Path, picture: Path) -> None:
    tiles = [
        [
            ("Footage", _footage(footage, index)),
            ("Ground truth, its camera", _tile(folder / "truth-camera.png")),
            ("Reconstruction, its camera", _tile(folder / "demo-camera.png")),
        ],
        [
            ("Measured on the whole clip", _figures(json.loads(report.read_text(encoding="utf-8"))["reports"][0])),
            ("Ground truth from outside", _tile(folder / "truth-outside.png")),
            ("Reconstruction from there", _tile(folder / "demo-outside.png")),
        ],
    ]
    width, height = SIZE[0] + MARGIN, SIZE[1] + HEADING + MARGIN
    sheet = Image.new("RGB", (3 * width + MARGIN, 2 * height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for row, line in enumerate(tiles):
        for column, (heading, tile) in enumerate(line):
            left, top = MARGIN + column * width, row * height
            pen.text((left, top + 4), heading, INK, ImageFont.load_default(20))
            sheet.paste(tile, (left, top + HEADING))
    unfinished = picture.with_name(f"{picture.stem}.part{picture.suffix}")
    sheet.save(unfinished, quality=85)
    unfinished.replace(picture)


def _figures(report: dict) -> Image.Image:
    """The table of figures: ours, and the trivial predictor's beside them."""
    ours, trivial = list(report["figures"].values())[:2]
    tile = Image.new("RGB", SIZE, PAPER)
    pen, font = ImageDraw.Draw(tile), ImageFont.load_default(22)
    for row, (name, first, second, color) in enumerate(
        [("", "this model", "trivial", FAINT)]
        + [
            (label, _text(form, ours[key], factor), _text(form, trivial[key], factor), INK)
            for key, label, form, factor in FIGURES
        ]
    ):
        top = 6 + row * 33
        pen.text((4, top), name, color, font)
        pen.text((340, top), first, color, font, anchor="ra")
        pen.text((480, top), second, FAINT, font, anchor="ra")
    pen.text(
        (4, SIZE[1] - 40),
        "trivial: mean pose, constant depth, still camera,\ntold where the heads are and the focal length",
        FAINT,
        ImageFont.load_default(16),
    )
    return tile


def _text(form: str, value: float | None, factor: float) -> str:
    return "" if value is None else form.format(factor * value)


def _footage(path: Path, index: int) -> Image.Image:
    video = cv2.VideoCapture(str(path))
    for _ in range(index):
        video.grab()
    _, bgr = video.read()
    return Image.fromarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)).resize(SIZE)


def _tile(path: Path) -> Image.Image:
    rendered = Image.open(path).convert("RGBA").resize(SIZE)
    behind = Image.new("RGBA", SIZE, BACKDROP)
    return Image.alpha_composite(behind, rendered).convert("RGB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
