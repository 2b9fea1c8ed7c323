# SPDX-License-Identifier: GPL-3.0-or-later
"""Images as PNG files, written without Blender, so that a thread can do it. Numpy only."""

from __future__ import annotations

import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB_8_BITS = (8, 2, 0, 0, 0)
_LEFT_DIFFERENCES = 1
"""The filter before compression: each pixel less its left neighbor."""


def encoded(picture: np.ndarray) -> bytes:
    """(H, W, 3) uint8 sRGB, row 0 on top, as the bytes of a PNG file."""
    height, width, _ = picture.shape
    rows = np.empty((height, 1 + 3 * width), dtype=np.uint8)
    rows[:, 0] = _LEFT_DIFFERENCES
    rows[:, 1:] = np.diff(picture, axis=1, prepend=np.zeros((height, 1, 3), np.uint8)).reshape(height, -1)
    head = struct.pack(">II5B", width, height, *_RGB_8_BITS)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
