# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of one retargeting."""

from __future__ import annotations

from dataclasses import dataclass

from ....engine.contract.declaring import bad_setting, check_settings, setting

CONTROLS = {
    "FK": ("FK", "Rotation controls: arms point in the same directions as the person's"),
    "IK": ("IK", "Target controls: hands go where the person's hands go, scaled to the character's arms"),
}
PLACEMENTS = {
    "SOURCE": ("At the Person", "The character starts where the person stands"),
    "CHARACTER": ("At the Character", "The character starts where it stands now, facing the way it faces"),
}
CALIBRATIONS = {
    "LIMBS": (
        "By Limb Directions",
        "Align the two rest poses by the directions of their limbs. Works for T-poses, A-poses and any bone roll",
    ),
    "POSE": ("By a Matched Pose", "Align them by a pose that you match by hand with Match Current Pose"),
}


@dataclass(frozen=True)
class RetargetSettings:
    """How a motion is put on a character; checked once, when made. Raises UserError (``bad-setting``)."""

    controls: str = setting("FK", label="Controls", choices=CONTROLS)
    """Which controls move arms and legs: ``FK`` or ``IK``. If the rig has both, both get keys, and its FK/IK switches
    are set to this one."""
    plant_feet: bool = setting(True, label="Plant Feet", group="Motion")
    """Put feet where the person's feet are, scaled to the character's legs, so that planted feet stay planted. Off:
    legs only point in the same directions as the person's (with FK controls)."""
    placement: str = setting("SOURCE", label="Start", choices=PLACEMENTS, group="Motion")
    """Where the motion starts: at the person (``SOURCE``) or where the character stands now (``CHARACTER``)."""
    root_motion: bool = setting(False, label="Root Motion", group="Motion")
    """Put the way over the floor and the heading on the rig's bone on the floor, as game engines want it, and the rest
    on the hips. All other bones move the same."""
    calibration: str = setting("LIMBS", label="Rest Poses", choices=CALIBRATIONS, group="Motion")
    """How the rest poses of person and character are aligned: by the directions of their limbs (``LIMBS``), or by a
    pose matched by hand (``POSE``)."""
    key_rate: float = setting(
        0.0,
        label="Key Rate",
        above=0,
        most=1000,
        zero="one key on every scene frame",
        unit="keys per second",
        group="Keys",
    )
    """Keys per second."""
    frame_start: int | None = setting(None, label="Start", none="the first frame of the motion")
    """First scene frame to bake."""
    frame_end: int | None = setting(None, label="End", none="the last frame of the motion")
    """Last scene frame to bake."""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.frame_start is not None and self.frame_end is not None and self.frame_end < self.frame_start:
            raise bad_setting(self, "frame_end", "Use a frame at or after the first frame to bake.")
