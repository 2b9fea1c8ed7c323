# SPDX-License-Identifier: GPL-3.0-or-later
"""People of real footage in the motions of `--motion`: what the table of one clip says of each, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..motions import RAW, REFINED
from .falling import Fall
from .scoring import RealScore
from .standing import Standing

MOST_RISE = 0.002
"""Share of the box's height by which refining may raise the mean error."""
MOST_STANDING_MM = 5.0
"""Millimeters a frame of the footage that the feet of a person who stands may move when refined."""

HEADS = ("clip", "motion", "found", "mean", "change", "standing feet", "worst", "fall", "")


@dataclass(frozen=True)
class MotionResult:
    """What was measured of one clip's people in one motion."""

    score: RealScore
    standing: Standing | None
    """None where nobody stands."""
    fall: Fall | None
    """None where no flight is known."""


def holds(motions: Mapping[str, MotionResult]) -> bool | None:
    """Whether refining keeps its promises on a clip; None where it was not measured."""
    if REFINED not in motions:
        return None
    rise, standing = _rise(motions, REFINED), motions[REFINED].standing
    return (rise is None or rise <= MOST_RISE) and (standing is None or standing.worst_mm < MOST_STANDING_MM)


def rows(clip: str, motions: Mapping[str, MotionResult]) -> list[list[str]]:
    """The lines of a clip, as `HEADS` says."""
    return [[clip, name, *_cells(motions, name)] for name in motions]


def to_json(motions: Mapping[str, MotionResult]) -> dict[str, Any]:
    """The same for programs: shares of the box's height, millimeters; null where nothing was measured."""
    values = {
        name: {
            "mean": found.score.mean,
            "median": found.score.median,
            "rise": _rise(motions, name),
            "standing": asdict(found.standing) if found.standing else None,
            "fall": asdict(found.fall) if found.fall else None,
        }
        for name, found in motions.items()
    }
    return {"motions": values, "refined_holds": holds(motions)}


def _cells(motions: Mapping[str, MotionResult], name: str) -> list[str]:
    found, rise = motions[name], _rise(motions, name)
    mean, standing, fall = found.score.mean, found.standing, found.fall
    return [
        f"{found.score.found}/{found.score.people}",
        "-" if mean is None else f"{100 * mean:.2f}",
        "-" if rise is None or name == RAW else f"{100 * rise:+.2f}",
        "-" if standing is None else f"{standing.mean_mm:.1f} mm",
        "-" if standing is None else f"{standing.worst_mm:.1f} mm",
        "-" if fall is None or fall.acceleration is None else f"{fall.acceleration:.2f}",
        {True: "holds", False: "FAILS", None: ""}[holds(motions) if name == REFINED else None],
    ]


def _rise(motions: Mapping[str, MotionResult], name: str) -> float | None:
    """By how much the mean error is larger than that of the raw motion."""
    ours, raw = motions[name].score.mean, motions[RAW].score.mean
    return None if ours is None or raw is None else ours - raw
