# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody knows of a clip beforehand, as its settings tell it."""

from __future__ import annotations

import math
from typing import Protocol

from .errors import UserError

FULL_FRAME_MM = 36.0
"""Width of the sensor that focal lengths in millimeters are told for, along the picture's long side."""

LEAST_HEIGHT_M, MOST_HEIGHT_M = 0.5, 2.5
"""Bounds of how tall a person may be said to be."""


class KnownFacts(Protocol):
    """The settings that are read here (`settings.CaptureSettings`)."""

    @property
    def focal_mm(self) -> float | None: ...
    @property
    def focal_px(self) -> float | None: ...
    @property
    def fov(self) -> float | None: ...
    @property
    def fixed_camera(self) -> bool: ...
    @property
    def camera_file(self) -> str: ...
    @property
    def height(self) -> str: ...


_FOCALS = ("focal_mm", "focal_px", "fov")


def check_known(settings: KnownFacts) -> None:
    """Check facts that exclude each other, and texts. Raises UserError (``bad-setting``)."""
    given = [name for name in _FOCALS if getattr(settings, name) is not None]
    if len(given) > 1:
        raise UserError(
            "bad-setting",
            "The focal length is given twice, as {first} and as {second}.",
            "Keep one of focal_mm, focal_px and fov.",
            first=given[0],
            second=given[1],
        )
    if settings.fixed_camera and settings.camera_file:
        raise UserError(
            "bad-setting",
            "The camera is said to be fixed and to move as in a file.",
            "Give either fixed_camera or camera_file.",
        )
    heights_of(settings.height)


def given_focal_px(settings: KnownFacts, size: tuple[int, int]) -> float | None:
    """The focal length that was given, in pixels of footage of this (width, height); None where none was."""
    if settings.focal_px is not None:
        return settings.focal_px
    if settings.focal_mm is not None:
        return settings.focal_mm / FULL_FRAME_MM * max(size)
    if settings.fov is not None:
        return max(size) / 2 / math.tan(math.radians(settings.fov) / 2)
    return None


def heights_of(text: str) -> dict[int, float]:
    """Meters by person's number, of ``0=1.78,1=1.62``. Raises UserError (``bad-setting``)."""
    found: dict[int, float] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        number, _, meters = (part.strip() for part in entry.partition("="))
        track = int(number) if number.isdecimal() and len(number) < 10 else -1
        if track < 0 or track in found or not LEAST_HEIGHT_M <= _number(meters) <= MOST_HEIGHT_M:
            raise UserError(
                "bad-setting",
                "The height {entry} cannot be used.",
                "Give each person's number once, with 0.5 to 2.5 meters, such as 0=1.78.",
                entry=repr(entry),
            )
        found[track] = _number(meters)
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
