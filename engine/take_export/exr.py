# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenEXR files of one part with 32-bit channels, compressed with ZIP, written as the format's documentation says.

The OpenCV that decodes footage for us is built without OpenEXR, and this much of the format is small.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

_MAGIC, _VERSION = 20000630, 2
_FLOAT, _ZIP = 2, 3
_LINES = 16
"""Scan lines that are compressed together."""


def write_exr(path: Path, channels: Mapping[str, np.ndarray], comments: str = "") -> None:
    """Write (H, W) float channels by their names. Raises OSError."""
    names = sorted(channels)
    image = np.stack([np.asarray(channels[name], "<f4") for name in names], axis=1)
    height, _, width = image.shape
    header = _header(names, width, height, comments)
    blocks = [_block(image[first : first + _LINES], first) for first in range(0, height, _LINES)]
    start = len(header) + 8 * len(blocks)
    offsets = start + np.cumsum([0, *map(len, blocks[:-1])])
    with open(path, "wb") as file:
        file.write(header + offsets.astype("<u8").tobytes() + b"".join(blocks))


def _header(names: list[str], width: int, height: int, comments: str) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    list_of_channels = b"".join(name.encode() + b"\0" + struct.pack("<iB3x2i", _FLOAT, 0, 1, 1) for name in names)
    attributes = {
        "channels": ("chlist", list_of_channels + b"\0"),
        "comments": ("string", comments.encode()),
        "compression": ("compression", bytes([_ZIP])),
        "dataWindow": ("box2i", window),
        "displayWindow": ("box2i", window),
        "lineOrder": ("lineOrder", b"\0"),
        "pixelAspectRatio": ("float", struct.pack("<f", 1.0)),
        "screenWindowCenter": ("v2f", struct.pack("<2f", 0.0, 0.0)),
        "screenWindowWidth": ("float", struct.pack("<f", 1.0)),
    }
    told = b"".join(
        f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value
        for name, (kind, value) in attributes.items()
        if value
    )
    return struct.pack("<2i", _MAGIC, _VERSION) + told + b"\0"


def _block(lines: np.ndarray, first: int) -> bytes:
    """Some scan lines, (lines, channels, W): low and high bytes apart, each byte as its difference from the last."""
    raw = np.frombuffer(lines.tobytes(), np.uint8)
    apart = np.concatenate([raw[0::2], raw[1::2]])
    steps = apart.copy()
    steps[1:] = apart[1:] - apart[:-1] + np.uint8(128)
    packed = zlib.compress(steps.tobytes(), 4)
    data = packed if len(packed) < len(raw) else raw.tobytes()
    return struct.pack("<2i", first, len(data)) + data
