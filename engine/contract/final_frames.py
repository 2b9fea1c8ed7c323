# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames with what the final pass found for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .messages import FinalFrame, Frame


def with_final(frame: Frame, final: FinalFrame) -> Frame:
    """A frame with what the final pass found for it in place of what was said while it ran."""
    columns: dict[str, Any] = {
        name: getattr(final, name) for name in ("focal_px", "world_from_camera", "principal_point_px")
    }
    row_of = {int(track_id): row for row, track_id in enumerate(final.track_id)}
    shared = [(row, row_of[int(track_id)]) for row, track_id in enumerate(frame.track_id) if int(track_id) in row_of]
    if shared:
        here, there = map(list, zip(*shared, strict=True))
        for name in ("pose_axis_angle", "betas", "expression", "translation", "head_point"):
            columns[name] = np.array(getattr(frame, name))
            columns[name][here] = getattr(final, name)[there]
    return replace(frame, **columns)
