# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures that an evaluation gives. They are kept as sums and counts, so that clips pool by addition."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np

from .depth import DepthSums
from .detection import DetectionCounts, MaskCounts
from .tracking import TrackingCounts


@dataclass(frozen=True)
class Mean:
    """A mean that can still be pooled."""

    total: float = 0.0
    count: int = 0

    def __add__(self, other: Mean) -> Mean:
        return Mean(self.total + other.total, self.count + other.count)

    @property
    def value(self) -> float:
        """NaN where nothing was measured."""
        return self.total / self.count if self.count else math.nan

    @classmethod
    def of(cls, values: np.ndarray | np.floating | float) -> Mean:
        """The mean of all values of an array, each counting the same."""
        array = np.asarray(values, dtype=np.float64)
        return cls(float(array.sum()), array.size)


@dataclass(frozen=True)
class TaskFigures:
    """All figures of one or more clips; `a + b` pools them."""

    frames: int = 0
    """Frames that were measured."""
    detection: DetectionCounts = field(default=DetectionCounts())
    masks: MaskCounts = field(default=MaskCounts())
    tracking: TrackingCounts = field(default=TrackingCounts())
    depth: DepthSums = field(default=DepthSums())
    mpjpe_mm: Mean = field(default=Mean())
    """Per frame and matched person, pelvis-aligned; so are the next ones."""
    pa_mpjpe_mm: Mean = field(default=Mean())
    pve_mm: Mean = field(default=Mean())
    root_orientation_deg: Mean = field(default=Mean())
    head_m: Mean = field(default=Mean())
    """Distance of the head joint from the true one, camera frame."""
    head_depth_relative: Mean = field(default=Mean())
    """|z - z*| / z* of the head joint."""
    w_mpjpe_mm: Mean = field(default=Mean())
    """Per frame and person, as are WA-MPJPE and RTE."""
    wa_mpjpe_mm: Mean = field(default=Mean())
    rte_percent: Mean = field(default=Mean())
    jitter: Mean = field(default=Mean())
    """10 m/s^3, over runs of frames in a row."""
    true_jitter: Mean = field(default=Mean())
    """The same of the ground truth, for comparison."""
    foot_sliding_mm: Mean = field(default=Mean())
    """Per step and standing sole vertex."""
    ate_m: Mean = field(default=Mean())
    """Root mean square per clip after Sim(3), mean over clips whose camera moves; the three below are root mean squares
    per clip too, and RPE translation also needs a camera that moves."""
    ate_rigid_m: Mean = field(default=Mean())
    """After a rigid fit: scale counts."""
    rpe_translation_m: Mean = field(default=Mean())
    rpe_rotation_deg: Mean = field(default=Mean())
    focal_relative: Mean = field(default=Mean())
    """|f - f*| / f* per frame."""

    def __add__(self, other: TaskFigures) -> TaskFigures:
        return TaskFigures(**{item.name: getattr(self, item.name) + getattr(other, item.name) for item in fields(self)})

    def values(self) -> dict[str, float | None]:
        """Every line of `LINES` by its key; None where nothing was measured."""
        values = {line.key: float(line.value(self)) for line in LINES}
        return {key: None if math.isnan(value) else value for key, value in values.items()}


@dataclass(frozen=True)
class FigureLine:
    """One figure of the report."""

    task: str
    key: str
    label: str
    unit: str
    higher_is_better: bool
    value: Callable[[TaskFigures], float]
    digits: int = 1

    @property
    def is_error(self) -> bool:
        """Whether zero is perfect and a fraction of another error means something: not so for jitter and for counts."""
        return not self.higher_is_better and self.key not in ("jitter", "true_jitter", "id_switches")


LINES: tuple[FigureLine, ...] = (
    FigureLine("detection", "precision", "precision", "", True, lambda f: f.detection.precision, 3),
    FigureLine("detection", "recall", "recall", "", True, lambda f: f.detection.recall, 3),
    FigureLine("detection", "f1", "F1", "", True, lambda f: f.detection.f1, 3),
    FigureLine("detection", "mask_iou", "mask IoU", "", True, lambda f: f.masks.iou, 3),
    FigureLine("local body", "mpjpe_mm", "MPJPE", "mm", False, lambda f: f.mpjpe_mm.value),
    FigureLine("local body", "pa_mpjpe_mm", "PA-MPJPE", "mm", False, lambda f: f.pa_mpjpe_mm.value),
    FigureLine("local body", "pve_mm", "PVE", "mm", False, lambda f: f.pve_mm.value),
    FigureLine(
        "local body", "root_orientation_deg", "root orientation", "deg", False, lambda f: f.root_orientation_deg.value
    ),
    FigureLine("local body", "head_m", "head position", "m", False, lambda f: f.head_m.value, 3),
    FigureLine(
        "local body", "head_depth_relative", "head depth, relative", "", False, lambda f: f.head_depth_relative.value, 3
    ),
    FigureLine("global motion", "wa_mpjpe_mm", "WA-MPJPE", "mm", False, lambda f: f.wa_mpjpe_mm.value),
    FigureLine("global motion", "w_mpjpe_mm", "W-MPJPE", "mm", False, lambda f: f.w_mpjpe_mm.value),
    FigureLine("global motion", "rte_percent", "RTE", "%", False, lambda f: f.rte_percent.value, 2),
    FigureLine("global motion", "jitter", "jitter", "10 m/s^3", False, lambda f: f.jitter.value),
    FigureLine("global motion", "true_jitter", "jitter of the truth", "10 m/s^3", False, lambda f: f.true_jitter.value),
    FigureLine("global motion", "foot_sliding_mm", "foot sliding", "mm", False, lambda f: f.foot_sliding_mm.value),
    FigureLine("camera", "ate_m", "ATE, Sim(3)", "m", False, lambda f: f.ate_m.value, 4),
    FigureLine("camera", "ate_rigid_m", "ATE, rigid", "m", False, lambda f: f.ate_rigid_m.value, 4),
    FigureLine("camera", "rpe_translation_m", "RPE translation", "m", False, lambda f: f.rpe_translation_m.value, 4),
    FigureLine("camera", "rpe_rotation_deg", "RPE rotation", "deg", False, lambda f: f.rpe_rotation_deg.value, 3),
    FigureLine("camera", "focal_relative", "focal length, relative", "", False, lambda f: f.focal_relative.value, 3),
    FigureLine("depth", "abs_rel", "AbsRel", "", False, lambda f: f.depth.abs_rel, 3),
    FigureLine("depth", "delta_125", "delta < 1.25", "", True, lambda f: f.depth.delta_125, 3),
    FigureLine("tracking", "idf1", "IDF1", "", True, lambda f: f.tracking.idf1, 3),
    FigureLine(
        "tracking",
        "id_switches",
        "id switches",
        "",
        False,
        lambda f: f.tracking.id_switches if f.tracking.truths else math.nan,
        0,
    ),
)
"""The figures in the order of the report."""
