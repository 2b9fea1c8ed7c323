# SPDX-License-Identifier: GPL-3.0-or-later
"""A quick look at footage: few frames at low cost, and no second look at the whole of it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import bpy

from ...engine.contract.settings import CaptureSettings

FRAMES_PER_SECOND = 6.0
"""Of the footage's time: enough to follow people, a fifth of what most footage has."""
UNKNOWN_RATE_STEP = 5
COARSE_M = 0.1
MOST_POINTS = 100_000


def preview_of(settings: CaptureSettings, frame_rate: float | None) -> CaptureSettings:
    """Settings that give a rough result of the same footage soon, into a take that goes with this Blender's session."""
    step = max(1, round(frame_rate / FRAMES_PER_SECOND)) if frame_rate else UNKNOWN_RATE_STEP
    return replace(
        settings,
        take=str(_take(settings.source)),
        stride=max(settings.stride, step),
        quality="preview",
        fingers_and_face=False,
        refine_camera="off",
        refine_people=False,
        backdrop=False,
        voxel_size=max(settings.voxel_size, COARSE_M) if settings.voxel_size else 0.0,
        max_points=min(settings.max_points, MOST_POINTS),
        point_maps=False,
    )


def _take(source: str) -> Path:
    stem = Path(source).stem.translate(str.maketrans("%#", "__")) or "take"
    return Path(bpy.app.tempdir) / f"{stem}-preview-{time.time_ns()}.h3r"
