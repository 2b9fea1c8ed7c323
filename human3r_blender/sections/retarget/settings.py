# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of one retargeting."""

from __future__ import annotations

from dataclasses import dataclass

from ....engine.contract.errors import UserError

CONTROLS = ("FK", "IK")
PLACEMENTS = ("SOURCE", "CHARACTER")
CALIBRATIONS = ("LIMBS", "POSE")


@dataclass(frozen=True)
class RetargetSettings:
    """How a motion is put on a character; checked once, when made. Raises UserError (``bad-setting``)."""

    controls: str = "FK"
    """``FK`` or ``IK``: which controls move arms and legs. Rigs with both get keys on both, and their switches are set
    to this one. With FK, arms keep the source's directions; with IK, hands go where the source's hands go, at the size
    of the character's arms."""
    plant_feet: bool = True
    """Whether feet go where the source's feet go, at the size of the character's legs, so that planted feet stay
    planted. Off: legs only keep the source's directions (with FK controls)."""
    placement: str = "SOURCE"
    """``SOURCE``: the character starts where the person stands. ``CHARACTER``: it starts where it stands and faces."""
    calibration: str = "LIMBS"
    """``LIMBS``: rest poses are brought together by the directions of their limbs. ``POSE``: by the pose that was
    matched by hand."""
    key_rate: float = 0.0
    """Keys per second; 0 for one on every frame of the scene."""
    frame_start: int | None = None
    """First frame of the scene to bake; None for the motion's first."""
    frame_end: int | None = None
    """Last frame of the scene to bake; None for the motion's last."""

    def __post_init__(self) -> None:
        checks = (
            ("controls", self.controls in CONTROLS, f"Use one of {', '.join(CONTROLS)}."),
            ("placement", self.placement in PLACEMENTS, f"Use one of {', '.join(PLACEMENTS)}."),
            ("calibration", self.calibration in CALIBRATIONS, f"Use one of {', '.join(CALIBRATIONS)}."),
            ("key_rate", 0 <= self.key_rate <= 1000, "Use 0, or up to 1000 keys per second."),
            (
                "frame_end",
                self.frame_start is None or self.frame_end is None or self.frame_end >= self.frame_start,
                "Use a frame at or after the first.",
            ),
        )
        for name, holds, remedy in checks:
            if not holds:
                raise UserError("bad-setting", f"The setting {name} is {getattr(self, name)!r}.", remedy)
