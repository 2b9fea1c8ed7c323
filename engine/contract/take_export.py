# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be made of a take besides a scene: which things, how, and what they are called on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .declaring import check_settings, setting

COLMAP, PLY, FRAME_PLY, DEPTH, MASKS = "colmap", "ply", "frame-ply", "depth", "masks"

PRODUCTS: Mapping[str, tuple[str, str]] = {
    COLMAP: (
        "COLMAP",
        "A folder with frames of the footage, the camera of each, the scene points, and masks that leave people out, "
        "as trainers of Gaussian splats read it",
    ),
    PLY: ("PLY", "The scene points as one point cloud with colors"),
    FRAME_PLY: ("PLY per Frame", "A folder with a point cloud of each frame; the take needs point maps"),
    DEPTH: ("Depth", "A folder with the depth of each frame, in meters, as EXR; the take needs point maps"),
    MASKS: ("Masks", "A folder with the people of each frame in white, as PNG: of everyone, and of each person"),
}
"""By name the label, and what it is."""

NEED_POINT_MAPS = (FRAME_PLY, DEPTH)

_ENDINGS = {COLMAP: "-colmap", PLY: ".ply", FRAME_PLY: "-points", DEPTH: "-depth", MASKS: "-masks"}


def product_path(folder: Path, name: str, product: str) -> Path:
    """The file or folder that one of :data:`PRODUCTS` becomes."""
    return folder / f"{name}{_ENDINGS[product]}"


def frame_name(source_frame: int) -> str:
    """What the files of a footage frame (counted from 0) are called, without their ending: the first is number 1, as
    Blender's timeline counts."""
    return f"frame_{source_frame + 1:06d}"


@dataclass(frozen=True)
class TakeExportSettings:
    """Raises UserError (``bad-setting``)."""

    colmap_format: str = setting(
        "binary",
        label="COLMAP Files",
        choices={
            "binary": ("Binary", "What most programs read, and quickly"),
            "text": ("Text", "Larger, but people can read it"),
            "both": ("Both", "Binary and text side by side"),
        },
    )
    """Form of the COLMAP model: ``binary``, ``text`` or ``both``."""
    images: str = setting(
        "jpg",
        label="Images",
        choices={"jpg": ("JPEG", "Small files of high quality"), "png": ("PNG", "Exactly the footage's pixels")},
    )
    """Format of the frames of the footage that go with a COLMAP model."""
    every: int = setting(1, label="Nth Frame", least=1, unit="frames")
    """Export every so many frames of the take."""
    footage: str = setting("", label="Footage", unit="path", belongs_to="footage")
    """Where the footage of the take lies now; empty: where it lay when the take was made."""

    def __post_init__(self) -> None:
        check_settings(self)
