# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from ....engine.contract.declaring import check_settings, setting
from ....engine.contract.errors import UserError
from ...rigs.profiles import PROFILES
from .formats import FORMATS
from .scene_files import SCENE_FILES

TARGETS = {
    "unity": ("Unity", "Meters, Y up, facing +Z"),
    "unreal": ("Unreal", "Centimeters, one file per person, with a bone named root at the top of the skeleton"),
    "blender": ("Blender and Others", "Meters, with Y pointing up"),
}
SUBJECTS = {
    "characters": ("Characters", "Your characters, with the motions that people's were put on them"),
    "people": ("People", "The people that Human3R made"),
    "both": ("Both", "The characters and the people"),
}


@dataclass(frozen=True)
class ExportSettings:
    """Raises UserError (``bad-setting``)."""

    formats: tuple[str, ...]
    """Which formats to export, by the names of `FORMATS`."""
    frame_rate: float = setting(
        0.0,
        label="FPS",
        above=0,
        most=1000,
        zero="the scene's own rate",
        unit="frames per second",
    )
    """Frames per second of the exported motion, which is resampled: 23.976, 29.97 and 59.94 stand for the exact NTSC
    rates."""
    target: str = setting("unity", label="FBX For", choices=TARGETS)
    """Program that will read the FBX file: ``unity`` and ``blender`` get meters, ``unreal`` gets centimeters."""
    together: bool = setting(True, label="One File for All", group="Files")
    """Put all people into one file (GLB, USD, USDZ and Alembic; FBX as the next setting says). BVH and .npz files, and
    FBX files for Unreal, always hold one person each."""
    fbx_together: bool = setting(False, label="One FBX for All", group="Files")
    """Put all people into one FBX file too, with each person's name in front of the bones' names. Programs that read
    FBX know bones by their names alone, so without it each person has a file."""
    camera: bool = setting(False, label="Camera", group="Files")
    """Export the scene's camera too (FBX, GLB, USD and Alembic)."""
    backdrop: bool = setting(True, label="Backdrop", group="Files")
    """Export the Photographed Backdrop of the people's takes too, where they have one (FBX, except for Unreal, GLB, USD
    and Alembic)."""
    bone_names: str = setting("smplx", label="Bone Names", group="People", choices=PROFILES)
    """Names of the bones. Their axes are always those of SMPL-X."""
    mesh: bool = setting(True, label="Body Mesh", group="People")
    """Export each person's body with the skeleton."""
    root_motion: bool = setting(False, label="Root Motion", group="People")
    """Let the bone root carry each person's way over the floor and heading, as game engines want it, and the hips only
    the rest (FBX, GLB, USD and USDZ). People stay where they are in the scene."""
    overwrite: bool = setting(False, label="Overwrite", group="Files")
    """Replace existing files."""
    subjects: str = setting("characters", label="Export", choices=SUBJECTS)
    """Who is exported where people were retargeted to characters: the ``characters``, the ``people``, or ``both``.
    Without characters it is the people. BVH and .npz files hold people only."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown or not self.formats:
            message = "There is no export format {name}." if unknown else "No export format is chosen."
            name, formats = repr(unknown[0]) if unknown else "", ", ".join((*FORMATS, *SCENE_FILES))
            raise UserError("bad-setting", message, "Choose from {formats}.", name=name, formats=formats)
        check_settings(self)

    def shares_file(self, kind: str, people: int) -> bool:
        """Whether so many people go into one file of a format, which is called after none of them."""
        together = self.together and (self.fbx_together or people == 1 or not FORMATS[kind].binds_by_name)
        return together and FORMATS[kind].holds_everyone(self.target)


def parse_formats(text: str) -> tuple[str, ...]:
    """``fbx,glb`` as formats, each once."""
    return tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
