# SPDX-License-Identifier: GPL-3.0-or-later
"""The learning rate over a stage: a linear start, then half a cosine (paper: 1e-4 to 1e-6 after a warm-up)."""

from __future__ import annotations

import math


def learning_rate(step: int, steps: int, peak: float, warmup: int, floor: float = 0.01) -> float:
    """Rate of the step (counted from 0) of a stage of ``steps``; ``floor`` is the last rate over the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min((step - warmup) / max(steps - warmup, 1), 1.0)
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done)))
