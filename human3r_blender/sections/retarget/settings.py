# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of one retargeting."""

from __future__ import annotations

from dataclasses import dataclass

from ....engine.contract.declaring import bad_setting, check_settings, setting

CONTROLS = {
    "FK": ("FK", "Rotations: arms keep the person's directions"),
    "IK": ("IK", "Targets: hands go where the person's hands go, at the size of the character's arms"),
}
PLACEMENTS = {
    "SOURCE": ("At the Person", "The character walks in the footage's scene"),
    "CHARACTER": ("At the Character", "The motion is turned and moved to the character"),
}
CALIBRATIONS = {
    "LIMBS": (
        "By Limb Directions",
        "T, A and relaxed poses and any bone roll are brought together by where the joints lie",
    ),
    "POSE": ("By a Matched Pose", "The poses of both at the moment of Match Current Pose count as equal"),
}


@dataclass(frozen=True)
class RetargetSettings:
    """How a motion is put on a character; checked once, when made. Raises UserError (``bad-setting``)."""

    controls: str = setting("FK", label="Controls", choices=CONTROLS)
    """``FK`` or ``IK``: which controls move arms and legs. Rigs with both get keys on both, and their switches are set
    to this one. With FK, arms keep the source's directions; with IK, hands go where the source's hands go, at the size
    of the character's arms."""
    plant_feet: bool = setting(True, label="Plant Feet", group="Motion")
    """Whether feet go where the source's feet go, at the size of the character's legs, so that planted feet stay
    planted. Off: legs only keep the source's directions (with FK controls)."""
    placement: str = setting("SOURCE", label="Start", choices=PLACEMENTS, group="Motion")
    """``SOURCE``: the character starts where the person stands. ``CHARACTER``: it starts where it stands and faces."""
    calibration: str = setting("LIMBS", label="Rest Poses", choices=CALIBRATIONS, group="Motion")
    """``LIMBS``: rest poses are brought together by the directions of their limbs. ``POSE``: by the pose that was
    matched by hand."""
    key_rate: float = setting(
        0.0,
        label="Key Rate",
        above=0,
        most=1000,
        zero="one on every frame of the scene",
        unit="keys per second",
        group="Keys",
    )
    """Keys per second."""
    frame_start: int | None = setting(None, label="Start", none="the motion's first")
    """First frame of the scene to bake."""
    frame_end: int | None = setting(None, label="End", none="the motion's last")
    """Last frame of the scene to bake."""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.frame_start is not None and self.frame_end is not None and self.frame_end < self.frame_start:
            raise bad_setting(self, "frame_end", "Use a frame at or after the first.")
