# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ....engine.contract.errors import UserError
from .formats import FORMATS

TARGETS = ("unity", "unreal", "blender")

LARGEST_RATE = 1000.0


@dataclass(frozen=True)
class ExportSettings:
    """Raises UserError (``bad-setting``)."""

    formats: tuple[str, ...]
    """Which files to write, by the names of `FORMATS`."""
    frame_rate: float = 0.0
    """Frames per second of the exported motion, resampled by time: 23.976, 29.97 and 59.94 mean the exact NTSC rates;
    0 for the scene's own rate."""
    target: str = "unity"
    """Who reads the FBX file: ``unity`` and ``blender`` get metres, ``unreal`` gets centimetres."""
    together: bool = True
    """Whether all people go into one file. BVH and npz files, and FBX files for Unreal, hold one person each anyway."""
    camera: bool = False
    """Whether the scene's camera goes with the people (fbx, glb, usd, abc)."""
    overwrite: bool = False
    """Whether files that exist already are replaced."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown or not self.formats:
            message = f"There is no export format {unknown[0]!r}." if unknown else "No export format is chosen."
            raise UserError("bad-setting", message, f"Choose from {', '.join(FORMATS)}.")
        if self.target not in TARGETS:
            raise UserError(
                "bad-setting", f"The export's target is {self.target!r}.", f"Use one of {', '.join(TARGETS)}."
            )
        if not (math.isfinite(self.frame_rate) and 0 <= self.frame_rate <= LARGEST_RATE):
            raise UserError(
                "bad-setting",
                f"The export's frame rate is {self.frame_rate}.",
                f"Use 0 for the scene's own, or up to {LARGEST_RATE:g} frames per second.",
            )

    def shares_file(self, kind: str) -> bool:
        """Whether people go into one file of a format."""
        return self.together and FORMATS[kind].holds_everyone(self.target)


def parse_formats(text: str) -> tuple[str, ...]:
    """``fbx,glb`` as formats, each once."""
    return tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
