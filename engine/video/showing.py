# SPDX-License-Identifier: GPL-3.0-or-later
"""How a video's stored pictures are shown: pixels made square, then turned or mirrored as its display matrix says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import Colorspace

_ONE = 1 << 16
"""1 in a display matrix's fixed-point numbers."""
_STRAIGHT = 0.02
"""How far a turn's entries may be from 0, 1 and -1 to count as quarter turns."""
_UNSPECIFIED = 2
"""FFmpeg's number of a color space that nobody named."""
_HIGH_DEFINITION = 720
"""Lines from which on colors that say nothing about themselves are taken for those of HDTV (ITU-R BT.709), as players
do."""


@dataclass(frozen=True)
class Showing:
    """From stored pictures to shown ones."""

    stored_size: tuple[int, int]
    """Width and height of the pictures in the file."""
    square_size: tuple[int, int]
    """The same with square pixels."""
    turn: np.ndarray
    """(2, 2) from shown-with-square-pixels to upright: a rotation, or one with a reflection. x right, y down."""

    @classmethod
    def of(cls, frame: av.VideoFrame, pixel_aspect: float) -> Showing:
        """As a video's first picture says; `pixel_aspect` is the width of its pixels over their height."""
        width = round(frame.width * pixel_aspect) if 0.1 < pixel_aspect < 10 else frame.width
        return cls((frame.width, frame.height), (max(1, width), frame.height), _turn_of(frame))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what is shown."""
        width, height = self.square_size
        return (height, width) if self._is_quarter and abs(self.turn[0, 1]) > 0.5 else (width, height)

    def fits(self, frame: av.VideoFrame) -> bool:
        """Whether a picture has the size of the first one."""
        return (frame.width, frame.height) == self.stored_size

    def picture(self, frame: av.VideoFrame) -> np.ndarray:
        """(h, w, 3) uint8 RGB as it is shown. One of another size is fitted into the first one's, with black bars."""
        rgb = _rgb(frame)
        rgb = rgb if self.fits(frame) else _fitted(rgb, self.stored_size)
        if self.square_size != self.stored_size:
            rgb = cv2.resize(rgb, self.square_size, interpolation=cv2.INTER_LINEAR)
        return self._turned(rgb)

    @property
    def _is_quarter(self) -> bool:
        return bool(np.minimum(np.abs(self.turn), np.abs(np.abs(self.turn) - 1)).max() < _STRAIGHT)

    def _turned(self, rgb: np.ndarray) -> np.ndarray:
        if np.array_equal(self.turn, np.eye(2)):
            return rgb
        if not self._is_quarter:  # the canvas stays as it is, as players leave it
            center = (np.array(self.square_size) - 1) / 2
            matrix = np.column_stack([self.turn, center - self.turn @ center])
            return cv2.warpAffine(rgb, matrix, self.square_size)
        (a, c), (b, d) = self.turn
        if abs(a) > 0.5:
            return np.ascontiguousarray(rgb[:: 1 if d > 0 else -1, :: 1 if a > 0 else -1])
        return np.ascontiguousarray(rgb.transpose(1, 0, 2)[:: 1 if b > 0 else -1, :: 1 if c > 0 else -1])


def _turn_of(frame: av.VideoFrame) -> np.ndarray:
    """(2, 2) the linear part of a display matrix, without its scale; the identity where there is none."""
    container: Any = frame.side_data  # whose types say less than it holds
    found = container.get(Type.DISPLAYMATRIX)
    if found is None:
        return np.eye(2)
    values = np.frombuffer(bytes(found), "<i4").reshape(3, 3) / _ONE
    turn = values[:2, :2].T  # QuickTime's are for rows: x' = a x + c y, y' = b x + d y
    scale = np.sqrt(abs(np.linalg.det(turn)))
    return turn / scale if scale > 1e-6 else np.eye(2)


def _rgb(frame: av.VideoFrame) -> np.ndarray:
    says_nothing = int(frame.colorspace) == _UNSPECIFIED
    source = Colorspace.ITU709 if says_nothing and frame.height >= _HIGH_DEFINITION else None
    return frame.to_ndarray(format="rgb24", src_colorspace=source)


def _fitted(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture in the middle of another size, as large as it can be."""
    height, width = rgb.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(rgb, inner, interpolation=cv2.INTER_AREA)
    return canvas
