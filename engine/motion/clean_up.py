# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean-up of a finished motion: smoothing, a place in the world that agrees with the ground, feet that stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..contract.declaring import check_settings, setting
from .body_motion import BodyMotion
from .contacts import ContactSettings, find_contacts
from .foot_locking import LockSettings, lock_feet
from .refine import RefineSettings, refine
from .smoothing import smooth


@dataclass(frozen=True)
class CleanUpSettings:
    """How a motion is cleaned up; checked once, when made. Raises UserError (``bad-setting``)."""

    strength: float = setting(0.75, label="Strength", least=0, most=1, zero="none", unit="share")
    """Strength of the smoothing, 0 (none) to 1; fast movement is kept at any strength."""
    lock_feet: bool = setting(True, label="Lock Feet")
    """Hold feet still while they rest on the floor."""
    refine: bool = setting(True, label="Refine Place")
    """Move people in the world so that feet, and whatever else rests, stay where they are: they slide and swim less."""
    contacts: ContactSettings = ContactSettings()
    lock: LockSettings = LockSettings()
    place: RefineSettings = RefineSettings()

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class CleanMotion:
    """What clean-up makes of a motion."""

    motion: BodyMotion
    planted: np.ndarray
    """(T, 4) bool, as of :func:`.contacts.find_contacts`."""


_WHOLE_STRENGTH = 0.75
"""From this strength on a person is moved the whole way; below it, in proportion."""


def clean_up(
    motion: BodyMotion, up: np.ndarray, settings: CleanUpSettings | None = None, camera: np.ndarray | None = None
) -> CleanMotion:
    """Smooth the motion, refine its place and hold its feet.

    `up` (3,) is the unit vector away from the floor and `camera` (T, 3) where the camera was, in the motion's world;
    without it the place is only smoothed.
    """
    settings = settings or CleanUpSettings()
    found = smooth(motion, settings.strength)
    if settings.refine and camera is not None:
        share = min(settings.strength / _WHOLE_STRENGTH, 1.0)
        moved = refine(found, camera, up, settings.place).displacement
        found = replace(found, pelvis=found.pelvis + share * moved)
    planted = find_contacts(found, up, settings.contacts)
    return CleanMotion(lock_feet(found, planted, settings.lock) if settings.lock_feet else found, planted)
