# SPDX-License-Identifier: GPL-3.0-or-later
"""Point clouds in the PLY format: binary, little-endian, with color and confidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_PROPERTIES = (
    ("x", "float", "<f4"),
    ("y", "float", "<f4"),
    ("z", "float", "<f4"),
    ("red", "uchar", "u1"),
    ("green", "uchar", "u1"),
    ("blue", "uchar", "u1"),
    ("confidence", "float", "<f4"),
)


def write_ply(path: Path, position: np.ndarray, color: np.ndarray, confidence: np.ndarray) -> None:
    """Write (N, 3) positions in meters, (N, 3) uint8 sRGB colors and (N,) confidences. Raises OSError."""
    rows = np.empty(len(position), dtype=[(name, kind) for name, _, kind in _PROPERTIES])
    for columns, values in (("xyz", position), (("red", "green", "blue"), color)):
        for name, column in zip(columns, np.asarray(values).T, strict=True):
            rows[name] = column
    rows["confidence"] = confidence
    header = ["ply", "format binary_little_endian 1.0", "comment lengths in meters", f"element vertex {len(rows)}"]
    header += [f"property {kind} {name}" for name, kind, _ in _PROPERTIES]
    with open(path, "wb") as file:
        file.write("\n".join([*header, "end_header", ""]).encode("ascii"))
        file.write(rows.tobytes())
