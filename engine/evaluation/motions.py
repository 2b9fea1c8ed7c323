# SPDX-License-Identifier: GPL-3.0-or-later
"""The people of one take in other motions: cleaned up, and with their places refined. The model runs once."""

from __future__ import annotations

from ..contract.body_model import BodyModel
from ..contract.messages import Frame, with_final
from ..motion.clean_up import CleanUpSettings
from ..motion.refined_people import SeenTake, refined_people
from ..slices import worked_off

RAW, CLEAN, REFINED = "raw", "clean", "refined"

_CLEANED = {CLEAN: CleanUpSettings(refine=False), REFINED: CleanUpSettings()}

MOTIONS = (RAW, *_CLEANED)
"""As captured; cleaned up without, and with, people's places. The last one is what `engine refine` and Blender make."""


def other_motions(seen: SeenTake, body: BodyModel, last: str) -> dict[str, list[Frame]]:
    """By the names of `MOTIONS` after the raw one, up to `last`: the take's frames with their people so.

    `body` is the take's.
    """
    return {name: _moved(seen, body, _CLEANED[name]) for name in MOTIONS[1 : MOTIONS.index(last) + 1]}


def _moved(seen: SeenTake, body: BodyModel, settings: CleanUpSettings) -> list[Frame]:
    finals = {final.index: final for final in worked_off(refined_people(seen, body, settings), lambda _: None)}
    return [with_final(frame, finals[frame.index]) if frame.index in finals else frame for frame in seen.frames]
