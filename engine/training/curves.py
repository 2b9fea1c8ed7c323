# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves to look at: every line of progress in a CSV file, and a picture of it."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from PIL import Image, ImageDraw

_WIDTH, _HEIGHT, _COLUMNS = 320, 170, 3
_MARGIN = 24


class Curves:
    """Appends to ``curves.csv`` in a folder and draws ``curves.png`` beside it."""

    def __init__(self, folder: Path) -> None:
        self._csv, self._png = folder / "curves.csv", folder / "curves.png"

    def add(self, stage: str, step: int, values: dict[str, float]) -> None:
        """One line per value: stage, step, name, value."""
        new = not self._csv.exists()
        with open(self._csv, "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(("stage", "step", "name", "value"))
            writer.writerows((stage, step, name, f"{value:.6g}") for name, value in values.items())

    def forget_after(self, stages: list[str], stage: str, step: int) -> None:
        """Drop what was written after the state that training resumes from; ``stages`` in their order."""
        lines = self.read()
        place = {name: number for number, name in enumerate(stages)}
        kept = [line for line in lines if (place.get(line[0], -1), line[1]) <= (place.get(stage, -1), step)]
        self._csv.unlink(missing_ok=True)
        for stage_name, number, name, value in kept:
            self.add(stage_name, number, {name: value})

    def read(self) -> list[tuple[str, int, str, float]]:
        """All lines; empty when there is no file yet."""
        if not self._csv.exists():
            return []
        with open(self._csv, newline="", encoding="utf-8") as file:
            return [(row["stage"], int(row["step"]), row["name"], float(row["value"])) for row in csv.DictReader(file)]

    def draw(self) -> None:
        """One small diagram per name, over the whole run; logarithmic where all values are positive."""
        series: dict[str, list[float]] = {}
        for _, _, name, value in self.read():
            series.setdefault(name, []).append(value)
        rows = max(1, math.ceil(len(series) / _COLUMNS))
        picture = Image.new("RGB", (_COLUMNS * _WIDTH, rows * _HEIGHT), "white")
        draw = ImageDraw.Draw(picture)
        for number, (name, values) in enumerate(sorted(series.items())):
            _diagram(draw, number % _COLUMNS * _WIDTH, number // _COLUMNS * _HEIGHT, name, values)
        picture.save(self._png)


def _diagram(draw: ImageDraw.ImageDraw, left: int, top: int, name: str, values: list[float]) -> None:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return
    positive = min(finite) > 0
    shown = [math.log(value) if positive else value for value in finite]
    low, high = min(shown), max(shown)
    span = high - low or 1.0
    inner_width, inner_height = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    points = [
        (left + _MARGIN + inner_width * index / max(len(shown) - 1, 1),
         top + _MARGIN + inner_height * (1 - (value - low) / span))
        for index, value in enumerate(shown)
    ]  # fmt: skip
    box = (left + _MARGIN, top + _MARGIN, left + _MARGIN + inner_width, top + _MARGIN + inner_height)
    draw.rectangle(box, outline="lightgray")
    if len(points) > 1:
        draw.line(points, fill="black")
    draw.text((left + _MARGIN, top + 6), f"{name}  {finite[0]:.4g} to {finite[-1]:.4g}", fill="black")
