# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean-up of a finished motion: smoothing, a place in the world that agrees with the ground, feet that stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.declaring import check_settings, setting
from .body_motion import BodyMotion
from .contact_edits import FEET, HANDS, ContactEdits, marked, with_edits
from .contacts import ContactSettings, find_contacts
from .foot_locking import LockSettings, lock_feet
from .hand_locking import lock_hands
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
    """(T, 4) bool, as of :func:`.contacts.find_contacts`, with what was edited."""
    hands: np.ndarray
    """(T, 2) bool, whether the left and the right hand rest: where somebody marked it."""


_WHOLE_STRENGTH = 0.75
"""From this strength on a person is moved the whole way; below it, in proportion."""


def clean_up(
    motion: BodyMotion,
    up: np.ndarray,
    settings: CleanUpSettings | None = None,
    camera: np.ndarray | None = None,
    edits: ContactEdits = (),
) -> CleanMotion:
    """Smooth the motion, refine its place and hold its feet.

    `up` (3,) is the unit vector away from the floor and `camera` (T, 3) where the camera was, in the motion's world;
    without it the place is only smoothed. `edits` count more than the contacts that are found; hands that they mark are
    held, whether feet are or not.
    """
    settings = settings or CleanUpSettings()
    found = smooth(motion, settings.strength)
    # Looked for before the person is moved: what the move alone makes stand has legs that do not fit it.
    planted = with_edits(find_contacts(found, up, settings.contacts), motion.time_s, FEET * 2, edits)
    if settings.refine and camera is not None:
        share = min(settings.strength / _WHOLE_STRENGTH, 1.0)
        moved = refine(found, camera, up, settings.place, edits=edits).displacement
        found = found.moved(share * moved)
    hands = marked(motion.time_s, HANDS, edits)
    found = lock_feet(found, planted, settings.lock) if settings.lock_feet else found
    return CleanMotion(lock_hands(found, hands, settings.lock), planted, hands)
