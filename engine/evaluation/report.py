# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as text for people and as JSON for programs, the published ones beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from . import baselines
from .figures import LINES, FigureLine, TaskFigures
from .motions import RAW
from .promises import kept, shares_of_raw
from .published import FULL, NOTE, PUBLISHED, PUBLISHED_SPEED

_MAIN = ("f1", "mpjpe_mm", "w_mpjpe_mm", "ate_m", "abs_rel", "idf1")


@dataclass(frozen=True)
class Report:
    """What one evaluation found."""

    title: str
    """What was measured: the model, the clips."""
    joints: str
    """Which joints are compared: a `PointSet`'s name."""
    columns: Mapping[str, TaskFigures]
    """Figures by column: the model first, then what stands beside it."""
    clips: Mapping[str, TaskFigures] = field(default_factory=dict)
    """The model's figures by clip, for programs only."""
    motions: Mapping[str, Mapping[str, TaskFigures]] = field(default_factory=dict)
    """By motion besides the raw one, and by clip; for programs only."""

    def text(self) -> str:
        """Tables for a terminal: ours, then the published ones."""
        first = next(iter(self.columns.values()))
        people = first.detection.found + first.detection.missed
        head = [self.title, f"Joints: {self.joints}. {first.frames} frames, {people} people to find in them."]
        if baselines.NAME in self.columns:
            head.append(f"{baselines.NAME}: {baselines.DESCRIPTION}; fraction: our errors over theirs.")
        return "\n".join([*head, "", *self._table(), "", *self._promises(), *_published_notes()])

    def to_json(self) -> dict[str, Any]:
        """The same for programs: values by key, null where nothing was measured."""
        return {
            "title": self.title,
            "joints": self.joints,
            "figures": {name: figures.values() for name, figures in self.columns.items()},
            "fractions_of_trivial": self.fractions_of_trivial(),
            "counts": {name: _counts(figures) for name, figures in self.columns.items()},
            "clips": {name: figures.values() for name, figures in self.clips.items()},
            "shares_of_raw": shares_of_raw(self.columns),
            "promises": [
                {"figure": label, "share": share, "most": most, "holds": share <= most}
                for label, share, most in kept(self.columns)
            ],
            "clips_by_motion": {
                motion: {name: figures.values() for name, figures in clips.items()}
                for motion, clips in self.motions.items()
            },
            "units": {line.key: line.unit for line in LINES},
            "published": [asdict(row) for row in PUBLISHED],
            "published_note": NOTE,
        }

    def fractions_of_trivial(self) -> dict[str, float]:
        """The first column's errors as fractions of the trivial predictors', by key, where both were measured."""
        if baselines.NAME not in self.columns:
            return {}
        ours, theirs = next(iter(self.columns.values())).values(), self.columns[baselines.NAME].values()
        errors = ((line.key, ours[line.key], theirs[line.key]) for line in LINES if line.is_error)
        return {key: error / trivial for key, error, trivial in errors if error is not None and trivial}

    def _table(self) -> list[str]:
        published = [row for row in PUBLISHED if row.method == FULL]
        fractions, shares = self.fractions_of_trivial(), shares_of_raw(self.columns)
        over = [f"{motion}/{RAW}" for motion in shares]
        names = [*self.columns, *over, "fraction", "|", *(row.dataset for row in published)]
        rows = [["task", "figure (+ higher is better)", *names]]
        for line in LINES:
            fraction = f"{fractions[line.key]:.2f}" if line.key in fractions else ""
            measured = [_cell(line, figures.values()[line.key]) for figures in self.columns.values()]
            beside = [_cell(line, row.values.get(line.key)) for row in published]
            measured += [f"{own[line.key]:.2f}" if line.key in own else "" for own in shares.values()]
            if any(measured):
                label = line.label + (f" [{line.unit}]" if line.unit else "") + (" +" if line.higher_is_better else "")
                rows.append([line.task, label, *(cell or "-" for cell in measured), fraction, "|", *beside])
        return aligned(rows)

    def _promises(self) -> list[str]:
        """What refining has to keep, where people were refined."""
        rows = [
            [label, "of refined over raw", f"{share:.3f}", f"most {most:.2f}", "holds" if share <= most else "FAILS"]
            for label, share, most in kept(self.columns)
        ]
        return [*aligned(rows), ""] if rows else []


def summary(figures: TaskFigures) -> str:
    """The main figures in half a line."""
    values = figures.values()
    shown = [
        f"{line.label} {_cell(line, values[line.key])} {line.unit}".rstrip()
        for line in LINES
        if line.key in _MAIN and values[line.key] is not None
    ]
    return ", ".join(shown)


def _published_notes() -> list[str]:
    """Which joints the published columns are over, the published variants, and what both are not."""
    lines = {line.key: line for line in LINES}
    joints = ", ".join(f"{row.dataset} {row.joints}" for row in PUBLISHED if row.method == FULL)
    variants = [
        f"  {row.dataset} {row.method}: "
        + ", ".join(f"{lines[key].label} {value:g} {lines[key].unit}" for key, value in row.values.items())
        for row in PUBLISHED
        if row.method != FULL
    ]
    return [
        "Right of the bar: published in the Human3R paper.",
        f"Joints there: {joints}.",
        "Published variants:",
        *variants,
        f"Published speed and memory: {PUBLISHED_SPEED}.",
        NOTE,
    ]


def _counts(figures: TaskFigures) -> dict[str, int]:
    return {
        "frames": figures.frames,
        "found": figures.detection.found,
        "missed": figures.detection.missed,
        "false_alarms": figures.detection.false_alarms,
        "depth_pixels": figures.depth.pixels,
        "clips_with_moving_camera": figures.ate_m.count,
    }


def _cell(line: FigureLine, value: float | None) -> str:
    return "" if value is None else f"{value:.{line.digits}f}"


def aligned(rows: list[list[str]]) -> list[str]:
    """Columns of equal width: the first two to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column >= 2 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
