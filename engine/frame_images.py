# SPDX-License-Identifier: GPL-3.0-or-later
"""Small images of frames with what was found in them, for whoever watches a capture."""

from __future__ import annotations

import time

import cv2
import numpy as np

from .contract.messages import Frame, FrameImage, unpack_mask
from .video.reading import PreparedFrame

EVERY_S = 1.0
LONG_SIDE = 256
"""Pixels: what a sidebar shows."""
_TINT = np.array((255, 140, 40), np.float32)
_TINT_SHARE = 0.55


class FrameImages:
    """Says once a second at most what the frame that was just finished looks like."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s, self._next = every_s, 0.0

    def of(self, prepared: PreparedFrame, frame: Frame) -> FrameImage | None:
        """The frame's image, or None while it is too early for one."""
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + self._every_s
        return FrameImage(frame.index, tinted(small(prepared.rgb), unpack_mask(frame)))


def small(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> the same, no side longer than :data:`LONG_SIDE`."""
    height, width = rgb.shape[:2]
    factor = min(1.0, LONG_SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def tinted(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 with people in another color; the mask, of any size, covers the same."""
    if not mask.size:
        return rgb
    size = rgb.shape[1], rgb.shape[0]
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)[..., None] * _TINT_SHARE
    return np.asarray((rgb * (1 - share) + _TINT * share).round().astype(np.uint8))
