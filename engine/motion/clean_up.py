# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean-up of a finished motion: smoothing, contacts, feet that stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.declaring import check_settings, setting
from .body_motion import BodyMotion
from .contacts import ContactSettings, find_contacts
from .foot_locking import LockSettings, lock_feet
from .smoothing import smooth


@dataclass(frozen=True)
class CleanUpSettings:
    """How a motion is cleaned up; checked once, when made. Raises UserError (``bad-setting``)."""

    strength: float = setting(0.75, label="Strength", least=0, most=1, zero="none", unit="share")
    """Strength of the smoothing, 0 (none) to 1; fast movement is kept at any strength."""
    lock_feet: bool = setting(True, label="Lock Feet")
    """Hold feet still while they rest on the floor."""
    contacts: ContactSettings = ContactSettings()
    lock: LockSettings = LockSettings()

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class CleanMotion:
    """What clean-up makes of a motion."""

    motion: BodyMotion
    planted: np.ndarray
    """(T, 4) bool, as of :func:`.contacts.find_contacts`."""


def clean_up(motion: BodyMotion, up: np.ndarray, settings: CleanUpSettings | None = None) -> CleanMotion:
    """Smooth the motion and hold its feet; `up` (3,) is the unit vector away from the floor, in the motion's world."""
    settings = settings or CleanUpSettings()
    smoothed = smooth(motion, settings.strength)
    planted = find_contacts(smoothed, up, settings.contacts)
    return CleanMotion(lock_feet(smoothed, planted, settings.lock) if settings.lock_feet else smoothed, planted)
