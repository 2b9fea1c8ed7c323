# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a take becomes part of the scene, and how."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.contract.declaring import check_settings, setting
from ...engine.motion.clean_up import CleanUpSettings

GROUNDS = {
    "auto": (
        "Automatic",
        "Level the take and set its floor at height 0, found from its points, cameras and people",
    ),
    "off": ("Off", "Leave the first camera level, at the scene's origin"),
}


STARTS = {
    "auto": ("Automatic", "At frame 1 if the scene takes over the footage's timing, and else where the scene starts"),
    "first": ("Frame 1", "The footage's first frame lies at frame 1"),
    "scene": ("Scene Start", "The footage's first frame lies at the scene's start frame"),
}


MOST_PEOPLE = 10_000
"""More people are never brought in."""


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import; checked once, when made. Raises UserError (``bad-setting``)."""

    body_path: str = setting("", label="Body", unit="path")
    """SMPL-X body file (.npz), or ``mannequin``; empty for the body that the take was made with or, if it is missing,
    the installed SMPL-X body or the mannequin."""
    import_people: bool = setting(True, label="People", group="Import")
    """Create an armature and a mesh for each person."""
    most_people: int = setting(100, label="Most People", least=1, most=MOST_PEOPLE, group="Options")
    """How many people are brought in at most, in the order in which they appear: each takes some megabytes."""
    import_camera: bool = setting(True, label="Camera", group="Import")
    """Create the moving camera."""
    import_points: bool = setting(True, label="Points", group="Import")
    """Create the scene points."""
    import_backdrop: bool = setting(True, label="Backdrop", group="Import")
    """Create the Photographed Backdrop, where the take has one: the environment of a camera that stands still or turns
    on the spot, as a photograph without people on the floor and an upright card."""
    show_footage: bool = setting(True, label="Show Footage", group="Options")
    """Show the footage behind the scene in the camera view, if its file is found."""
    set_scene_timing: bool = setting(True, label="Set Scene Timing", group="Options")
    """Give the scene the footage's frame rate, frame range and resolution, and make the take's camera the active one;
    when off, the take plays at its true speed within the scene's own timing."""
    start_at: str = setting("auto", label="Start At", choices=STARTS, group="Start")
    """Where in the scene the footage's first frame lies: at frame 1 (``first``), where the scene starts (``scene``), or
    ``auto``: at frame 1 if the scene takes over the footage's timing, and else where the scene starts."""
    pose_correctives: bool = setting(False, label="Pose Correctives", group="Options")
    """Add shape keys for the pose correctives to the meshes: exact surfaces, but more memory."""
    ground: str = setting("auto", label="Floor", choices=GROUNDS, group="Motion")
    """``auto`` levels the take and sets its floor at height 0, found from its points, cameras and people; ``off``
    leaves the first camera level, at the scene's origin."""
    clean: float = setting(
        CleanUpSettings.strength, label="Clean Up", least=0, most=1, zero="off", unit="share", group="Motion"
    )
    """Strength of the clean-up, 0 (none) to 1: less jitter, and feet that stay planted. The raw motion is kept in an
    Action of its own."""
    refine: bool = setting(True, label="Refine Place", group="Motion")
    """With the clean-up, move people in the world so that feet, and whatever else rests, stay where they are: people
    slide and swim less."""
    absence_s: float = setting(0.5, label="Hide After", least=0, soft_most=10, unit="seconds", group="Motion")
    """Seconds without a detection after which a person is hidden; shorter gaps are interpolated."""

    def __post_init__(self) -> None:
        check_settings(self)
