# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may say about a motion file."""

from __future__ import annotations

from dataclasses import dataclass

from ....engine.contract.declaring import check_settings, setting

AXES = {
    "auto": ("Automatic", "Found from the people, who stand upright more often than not"),
    "y": ("Y", "The file's Y axis points up"),
    "z": ("Z", "The file's Z axis points up, as in AMASS"),
}


@dataclass(frozen=True)
class MotionOptions:
    """Raises UserError (``bad-setting``)."""

    up_axis: str = setting("auto", label="Up Axis", choices=AXES, group="Motion File")
    """Which axis of a motion file points up."""
    motion_frame_rate: float = setting(
        0.0,
        label="File FPS",
        above=0,
        most=1000,
        zero="the file's own rate, or 30 where it has none",
        unit="frames per second",
        group="Motion File",
    )
    """Frames per second that a motion file was made with."""

    def __post_init__(self) -> None:
        check_settings(self)
