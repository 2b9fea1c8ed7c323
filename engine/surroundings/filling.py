# SPDX-License-Identifier: GPL-3.0-or-later
"""Filling what nobody saw of a picture from what is around it."""

from __future__ import annotations

import cv2
import numpy as np

_RADIUS_PX = 5
_MOST_PIXELS = 80_000
"""Larger holes are filled in a smaller picture: it takes too long otherwise, and there is no detail to be had."""


def filled(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 with the (H, W) bool `hole` filled: what lies at its border goes on into it."""
    if not hole.any() or hole.all():
        return picture
    if hole.sum() <= _MOST_PIXELS:
        return np.asarray(cv2.inpaint(picture, hole.astype(np.uint8), _RADIUS_PX, cv2.INPAINT_TELEA))
    half = (max(1, hole.shape[1] // 2), max(1, hole.shape[0] // 2))
    # Only what is known goes into the smaller picture, which is filled wherever that is nothing.
    share = cv2.resize((~hole).astype(np.float32), half, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(np.where(hole[..., None], 0, picture).astype(np.float32), half, interpolation=cv2.INTER_AREA)
    small = np.round(sums / np.maximum(share, 1e-6)[..., None]).clip(0, 255).astype(np.uint8)
    large = cv2.resize(filled(small, share < 0.5), hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(hole[..., None], large, picture)
