# SPDX-License-Identifier: GPL-3.0-or-later
"""How well cameras were followed, as tables for people and as JSON for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..report import aligned
from .promises import ENOUGH_PARALLAX_DEG, PROMISES, Promise, Verdict, judge
from .results import CameraResult
from .surroundings import FARTHEST_M

_MOTIONS = ("moving", "still", "turning")

_COLUMNS: tuple[tuple[str, str, Callable[[CameraResult], float | None]], ...] = (
    ("path m", "{:.2f}", lambda clip: clip.path_m),
    ("angle", "{:.1f}", lambda clip: clip.ray_angle_deg),
    ("live ATE", "{:.1%}", lambda clip: clip.live.ate_share),
    ("rot", "{:.2f}", lambda clip: clip.live.rotation_deg),
    ("moved", "{:.3f}", lambda clip: clip.live.farthest_m),
    ("poses", "{:.0f}", lambda clip: clip.live.poses),
    ("| ATE m", "{:.3f}", lambda clip: clip.final.ate_m),
    ("ATE", "{:.1%}", lambda clip: clip.final.ate_share),
    ("rot", "{:.2f}", lambda clip: clip.final.rotation_deg),
    ("moved", "{:.3f}", lambda clip: clip.final.farthest_m),
    ("poses", "{:.0f}", lambda clip: clip.final.poses),
    ("focal", "{:.3f}", lambda clip: clip.final.focal),
    ("scale", "{:.2f}", lambda clip: clip.final.scale),
    ("| AbsRel", "{:.3f}", lambda clip: clip.abs_rel),
    ("scaled", "{:.3f}", lambda clip: clip.abs_rel_scaled),
    ("covered", "{:.0%}", lambda clip: clip.errors.coverage),
    ("| s/frame", "{:.2f}", lambda clip: clip.pass_s_per_frame),
)

_NOTES = (
    "told: how the camera moves as the take says while the footage runs, and in the end. path, angle: of the truth; "
    "the angle is the median over points of the surroundings of the largest one, in degrees, under which each was "
    "seen. Left of the first bar the live path, right of it the final one (the same where nothing was refined). ATE: "
    "root mean square of the camera's distance from the true path after a similarity fit, in meters and as a share of "
    "the path. rot: mean rotation error in degrees, the first frames brought together. moved: the camera's greatest "
    "distance from its first place, in meters. poses: how many differ, bit by bit. focal, scale: over the true ones, "
    f"the scale from the similarity fit. AbsRel: mean relative error of the depth of surroundings up to "
    f"{FARTHEST_M:g} m, in every tenth frame, where the final scene points cover them as seen by the take's own "
    "camera; scaled: the same without the path's error in scale. covered: share of these surroundings. s/frame: the "
    "final pass's seconds for each frame."
)
_WIDTH = 120


@dataclass(frozen=True)
class CameraReport:
    """What one evaluation of cameras found."""

    title: str
    clips: Mapping[str, CameraResult]
    """By name."""

    def text(self) -> str:
        """Tables for a terminal."""
        rows = [["clip", "told", *(head for head, _, _ in _COLUMNS)]]
        rows += [[name, clip.told, *_cells([clip])] for name, clip in self.clips.items()]
        rows += [
            [f"MEDIAN {motion}", f"{len(clips)} clips", *_cells(clips)] for motion, clips in self._by_motion().items()
        ]
        promised = [["promise", "limit", "median", "worst", "clips", "holds"], *map(_verdict_cells, judge(self.clips))]
        return "\n\n".join(
            [
                self.title,
                "\n".join(aligned(rows)),
                textwrap.fill(_NOTES, _WIDTH),
                f"What is promised of the final path; of moving cameras those with an angle of {ENOUGH_PARALLAX_DEG:g} "
                "degrees and more:",
                "\n".join(aligned(promised)),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "title": self.title,
            "clips": {name: clip.values() for name, clip in self.clips.items()},
            "medians": {motion: _medians(clips) for motion, clips in self._by_motion().items()},
            "promises": [_verdict_values(verdict) for verdict in judge(self.clips)],
        }

    def _by_motion(self) -> dict[str, list[CameraResult]]:
        found = {motion: [clip for clip in self.clips.values() if clip.motion == motion] for motion in _MOTIONS}
        return {motion: clips for motion, clips in found.items() if clips}


def summary(clip: CameraResult) -> str:
    """The main figures in half a line."""
    values = {promise.label: (promise, promise.value(clip)) for promise in PROMISES if promise.motion == clip.motion}
    return f"{clip.told}: " + ", ".join(f"{label} {_form(*value)}" for label, value in values.items())


def _medians(clips: list[CameraResult]) -> dict[str, float | None]:
    names = {
        "live_ate_share": lambda clip: clip.live.ate_share,
        "live_rotation_deg": lambda clip: clip.live.rotation_deg,
        **{promise.key: promise.value for promise in PROMISES if promise.motion == clips[0].motion},
        "pass_s_per_frame": lambda clip: clip.pass_s_per_frame,
    }
    return {name: _median(clips, value) for name, value in names.items()}


def _cells(clips: list[CameraResult]) -> list[str]:
    medians = ((form, _median(clips, value)) for _, form, value in _COLUMNS)
    return ["-" if median is None else form.format(median) for form, median in medians]


def _median(clips: list[CameraResult], value: Callable[[CameraResult], float | None]) -> float | None:
    known = [found for found in map(value, clips) if found is not None]
    return float(np.median(known)) if known else None


def _form(promise: Promise, value: float | None) -> str:
    return "-" if value is None else promise.form.format(value)


def _verdict_cells(verdict: Verdict) -> list[str]:
    promise = verdict.promise
    limit = f"{'at least' if promise.at_least else 'at most'} {promise.form.format(promise.limit)}"
    holds = {True: "yes", False: "NO", None: "-"}[verdict.holds]
    median, worst = _form(promise, verdict.median), _form(promise, verdict.worst)
    return [f"{promise.motion}: {promise.label}", limit, median, worst, f"{verdict.kept} of {verdict.clips}", holds]


def _verdict_values(verdict: Verdict) -> dict[str, Any]:
    promise = verdict.promise
    return {
        "motion": promise.motion,
        "key": promise.key,
        "limit": promise.limit,
        "at_least": promise.at_least,
        "median": verdict.median,
        "worst": verdict.worst,
        "clips": verdict.clips,
        "kept": verdict.kept,
        "holds": verdict.holds,
    }
