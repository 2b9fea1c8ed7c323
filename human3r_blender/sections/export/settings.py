# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from ....engine.contract.declaring import check_settings, setting
from ....engine.contract.errors import UserError
from .formats import FORMATS

TARGETS = {
    "unity": ("Unity", "Meters, y up, facing +z; a file that says so"),
    "unreal": ("Unreal", "Centimeters, and each person in a file of its own whose skeleton begins at its bone root"),
    "blender": ("Blender and Others", "Meters, y up; a file that says so"),
}


@dataclass(frozen=True)
class ExportSettings:
    """Raises UserError (``bad-setting``)."""

    formats: tuple[str, ...]
    """Which files to write, by the names of `FORMATS`."""
    frame_rate: float = setting(
        0.0,
        label="FPS",
        above=0,
        most=1000,
        zero="the scene's own rate",
        unit="frames per second",
    )
    """Frames per second of the exported motion, resampled by time: 23.976, 29.97 and 59.94 mean the exact NTSC
    rates."""
    target: str = setting("unity", label="FBX For", choices=TARGETS)
    """Which program reads the FBX file: ``unity`` and ``blender`` get meters, ``unreal`` gets centimeters."""
    together: bool = setting(True, label="One File for All", group="Files")
    """Whether all people go into one file. BVH and npz files, and FBX files for Unreal, hold one person each anyway."""
    camera: bool = setting(False, label="Camera", group="Files")
    """Whether the scene's camera goes with the people (fbx, glb, usd, abc)."""
    overwrite: bool = setting(False, label="Overwrite", group="Files")
    """Whether files that exist already are replaced."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown or not self.formats:
            message = f"There is no export format {unknown[0]!r}." if unknown else "No export format is chosen."
            raise UserError("bad-setting", message, "Choose from {formats}.", formats=", ".join(FORMATS))
        check_settings(self)

    def shares_file(self, kind: str) -> bool:
        """Whether people go into one file of a format."""
        return self.together and FORMATS[kind].holds_everyone(self.target)


def parse_formats(text: str) -> tuple[str, ...]:
    """``fbx,glb`` as formats, each once."""
    return tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
