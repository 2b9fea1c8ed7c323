# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as text for people and as JSON for programs, the published ones beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .figures import LINES, FigureLine, TaskFigures
from .published import NOTE, PUBLISHED, PUBLISHED_SPEED


@dataclass(frozen=True)
class Report:
    """What one evaluation found."""

    title: str
    """What was measured: the model, the clips."""
    joints: str
    """Which joints are compared: a `PointSet`'s name."""
    columns: Mapping[str, TaskFigures]
    """Figures by column: the model first, then what stands beside it."""

    def text(self) -> str:
        """Tables for a terminal: ours, then the published ones."""
        first = next(iter(self.columns.values()))
        people = first.detection.found + first.detection.missed
        head = [self.title, f"Joints: {self.joints}. {first.frames} frames, {people} people in them to be found."]
        return "\n".join([*head, "", *self._measured(), "", "Published (Human3R paper):", *_published(),
                          f"speed and memory: {PUBLISHED_SPEED}", NOTE])

    def to_json(self) -> dict[str, Any]:
        """The same for programs: values by key, null where nothing was measured."""
        return {
            "title": self.title, "joints": self.joints,
            "figures": {name: figures.values() for name, figures in self.columns.items()},
            "counts": {name: _counts(figures) for name, figures in self.columns.items()},
            "units": {line.key: line.unit for line in LINES},
            "published": [asdict(row) for row in PUBLISHED], "published_note": NOTE,
        }

    def _measured(self) -> list[str]:
        rows = [["task", "figure", *self.columns]]
        for line in LINES:
            cells = [_cell(line, figures.values()[line.key]) for figures in self.columns.values()]
            if any(cells):
                arrow = "higher is better" if line.higher_is_better else ""
                unit = f" [{line.unit}]" if line.unit else ""
                rows.append([line.task, line.label + unit, *(cell or "-" for cell in cells), arrow])
        return _aligned(rows)


def _published() -> list[str]:
    keys = {line.key: line for line in LINES}
    rows = []
    for row in PUBLISHED:
        values = ", ".join(f"{keys[key].label} {value:g} {keys[key].unit}" for key, value in row.values.items())
        rows.append([row.task, row.dataset, row.joints, values, row.method])
    return _aligned(rows, first_right=len(rows[0]))


def _counts(figures: TaskFigures) -> dict[str, int]:
    return {"frames": figures.frames, "found": figures.detection.found, "missed": figures.detection.missed,
            "false_alarms": figures.detection.false_alarms, "depth_pixels": figures.depth.pixels,
            "clips_with_camera": figures.ate_m.count}


def _cell(line: FigureLine, value: float | None) -> str:
    return "" if value is None else f"{value:.{line.digits}f}"


def _aligned(rows: list[list[str]], first_right: int = 2) -> list[str]:
    """Columns of equal width, those from `first_right` on to the right."""
    count = max(map(len, rows))
    rows = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(count)]
    return ["  ".join(cell.rjust(width) if column >= first_right else cell.ljust(width)
                      for column, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]
