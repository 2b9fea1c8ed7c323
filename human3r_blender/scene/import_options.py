# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a take becomes part of the scene, and how."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.contract.declaring import check_settings, setting
from ...engine.motion.clean_up import CleanUpSettings

GROUNDS = {
    "auto": (
        "Found by Itself",
        "The take stands upright, its floor at height 0, as its points, cameras and people tell",
    ),
    "off": ("Left Alone", "The first camera is level, at the scene's origin"),
}


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import; checked once, when made. Raises UserError (``bad-setting``)."""

    body_path: str = setting("", label="Body", unit="path")
    """Body file in the SMPL-X format (.npz), or ``mannequin``; empty for the one that the take was made with, where
    that is there, and else the installed SMPL-X body or the mannequin."""
    import_people: bool = setting(True, label="People", group="Import")
    """Whether to make armatures and meshes of the people."""
    import_camera: bool = setting(True, label="Camera", group="Import")
    """Whether to make the moving camera."""
    import_points: bool = setting(True, label="Points", group="Import")
    """Whether to make the scene points."""
    show_footage: bool = setting(True, label="Show Footage", group="Options")
    """Whether the camera shows the footage behind the scene, where its file is found."""
    set_scene_timing: bool = setting(True, label="Set Scene Timing", group="Options")
    """Whether the scene takes the footage's frame rate, range and frame size and looks through its camera; otherwise
    the take is put into the scene's own time and plays at its true speed there."""
    pose_correctives: bool = setting(False, label="Pose Correctives", group="Options")
    """Whether meshes get shape keys for the pose correctives: exact surfaces for more memory."""
    ground: str = setting("auto", label="Floor", choices=GROUNDS, group="Motion")
    """``auto`` sets the take upright on its floor, as its points, cameras and people tell; ``off`` leaves the first
    camera level at the scene's origin."""
    clean: float = setting(
        CleanUpSettings.strength, label="Clean Up", least=0, most=1, zero="off", unit="share", group="Motion"
    )
    """Strength of the clean-up, 0 (none) to 1: less jitter, feet that stay where they stand. The raw motion is kept in
    an Action of its own."""
    absence_s: float = setting(0.5, label="Hide After", least=0, soft_most=10, unit="seconds", group="Motion")
    """Seconds without a detection after which a person is hidden; shorter gaps are interpolated."""

    def __post_init__(self) -> None:
        check_settings(self)
