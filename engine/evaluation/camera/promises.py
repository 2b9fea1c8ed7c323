# SPDX-License-Identifier: GPL-3.0-or-later
"""What the final camera and the scene points have to keep to on synthetic clips, and which clips do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .results import CameraResult

ENOUGH_PARALLAX_DEG = 0.9
"""Moving cameras whose true ray angle is smaller are measured, and promised nothing."""


@dataclass(frozen=True)
class Promise:
    """One limit for all clips of one motion."""

    motion: str
    key: str
    label: str
    limit: float
    value: Callable[[CameraResult], float | None]
    """None where nothing was measured: that keeps no promise."""
    form: str = "{:g}"
    at_least: bool = False

    def applies(self, result: CameraResult) -> bool:
        return result.motion == self.motion and (self.motion != "moving" or result.ray_angle_deg >= ENOUGH_PARALLAX_DEG)

    def keeps(self, value: float | None) -> bool:
        if value is None:
            return False
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Verdict:
    """What became of a promise. Values are None without clips that it applies to and that were measured."""

    promise: Promise
    clips: int
    kept: int
    median: float | None
    worst: float | None

    @property
    def holds(self) -> bool | None:
        """Whether all clips keep it; None without any."""
        return self.kept == self.clips if self.clips else None


def off(ratio: float | None) -> float | None:
    """How far a ratio is from one."""
    return None if ratio is None else abs(ratio - 1.0)


PROMISES = (
    Promise("moving", "ate_share", "ATE, of the path", 0.02, lambda clip: clip.final.ate_share, "{:.1%}"),
    Promise("moving", "rotation_deg", "rotation, degrees", 0.3, lambda clip: clip.final.rotation_deg, "{:.2f}"),
    Promise("moving", "focal", "focal length", 0.03, lambda clip: off(clip.final.focal), "{:.1%}"),
    Promise("moving", "scale", "scale", 0.10, lambda clip: off(clip.final.scale), "{:.1%}"),
    Promise("moving", "abs_rel", "depth, AbsRel", 0.05, lambda clip: clip.abs_rel_scaled, "{:.3f}"),
    Promise("moving", "coverage", "depth, covered", 0.7, lambda clip: clip.errors.coverage, "{:.0%}", at_least=True),
    Promise("still", "poses", "different poses", 1, lambda clip: clip.final.poses, "{:.0f}"),
    Promise("turning", "farthest_m", "moved, meters", 0.0, lambda clip: clip.final.farthest_m, "{:.3f}"),
    Promise("turning", "rotation_deg", "rotation, degrees", 0.5, lambda clip: clip.final.rotation_deg, "{:.2f}"),
)


def judge(results: Mapping[str, CameraResult]) -> list[Verdict]:
    """Every promise over all clips that it applies to."""
    return [_judge(promise, [result for result in results.values() if promise.applies(result)]) for promise in PROMISES]


def _judge(promise: Promise, results: list[CameraResult]) -> Verdict:
    values = [promise.value(result) for result in results]
    known = [value for value in values if value is not None]
    return Verdict(
        promise,
        clips=len(values),
        kept=sum(promise.keeps(value) for value in values),
        median=float(np.median(known)) if known else None,
        worst=(min(known) if promise.at_least else max(known)) if known else None,
    )
