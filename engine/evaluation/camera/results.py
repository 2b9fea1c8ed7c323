# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured on one clip."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...contract.messages import CameraSummary, FocalLength
from .measuring import CameraErrors, PathErrors


@dataclass(frozen=True)
class Seconds:
    """What making a clip and its take took; None for what was there already, or did not happen."""

    render: float | None = None
    capture: float | None = None
    """The whole capture, loading the model included."""
    final_pass: float | None = None
    """Of it, what came after the last frame: camera, people and surroundings."""


@dataclass(frozen=True)
class CameraResult:
    """What was measured on one clip."""

    motion: str
    """The true one: one of :data:`~engine.contract.messages.CAMERA_MOTIONS`."""
    frames: int
    path_m: float
    """Length of the true path."""
    ray_angle_deg: float
    """The true parallax."""
    errors: CameraErrors
    motion_live: str | None
    """As the take tells it; None where it does not."""
    summary: CameraSummary | None
    """None without a final pass over the camera."""
    focal: FocalLength | None
    point_count: int
    has_backdrop: bool
    seconds: Seconds

    @property
    def live(self) -> PathErrors:
        return self.errors.live

    @property
    def final(self) -> PathErrors:
        return self.errors.final

    @property
    def abs_rel(self) -> float | None:
        return self.errors.depth.abs_rel if self.errors.depth.pixels else None

    @property
    def abs_rel_scaled(self) -> float | None:
        """Apart from the path's scale, which has a limit of its own."""
        return self.errors.depth_scaled.abs_rel if self.errors.depth.pixels else None

    @property
    def told(self) -> str:
        """What the take says: while the footage ran, and in the end."""
        if self.summary is None:
            return f"{self.motion_live or '-'}, not refined"
        note = f" ({self.summary.note})" if self.summary.note else ""
        return f"{self.motion_live or '-'}, {self.summary.motion}{'' if self.summary.refined else ', kept'}{note}"

    @property
    def pass_s_per_frame(self) -> float | None:
        return None if self.seconds.final_pass is None or not self.frames else self.seconds.final_pass / self.frames

    def values(self) -> dict[str, Any]:
        """For programs: meters, degrees, shares and ratios; null where nothing was measured."""
        return {
            "true_motion": self.motion,
            "motion_live": self.motion_live,
            "motion_final": self.summary.motion if self.summary else None,
            "refined": self.summary.refined if self.summary else False,
            "note": self.summary.note if self.summary else None,
            "frames": self.frames,
            "path_m": self.path_m,
            "ray_angle_deg": self.ray_angle_deg,
            "ray_angle_told_deg": self.summary.ray_angle_deg if self.summary else None,
            "residual_px": self.summary.residual_px if self.summary else None,
            "live": asdict(self.live),
            "final": asdict(self.final),
            "abs_rel": self.abs_rel,
            "abs_rel_scaled": self.abs_rel_scaled,
            "coverage": self.errors.coverage,
            "points": self.point_count,
            "backdrop": self.has_backdrop,
            "focal_length": asdict(self.focal) if self.focal else None,
            "seconds": asdict(self.seconds),
            "pass_s_per_frame": self.pass_s_per_frame,
        }
