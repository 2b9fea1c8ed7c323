# SPDX-License-Identifier: GPL-3.0-or-later
"""People in pictures that missed them: rows for gaps up to a limit, made as `engine/motion/gaps.py` says.

The motion that is bridged is that of the pelvis in the world, with the one shape that the person has in the whole take
(the median), which the new rows carry: so they do not change it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.messages import Frame
from ..motion.gaps import fill_gaps
from ..motion.people_of_take import PersonInFrame, PersonOfTake, people_of_take, person_in_frame
from .roll import Roll

BRIDGED_SCORE = 0.0
"""Detection score of people who were not detected."""

OF_PEOPLE = tuple(item.name for item in fields(Frame) if item.metadata.get("shape", ())[:1] == ("people",))
"""The fields of a frame that have a row for each person."""


def bridges(frames: Iterable[Frame], roll: Roll, limit_s: float, body: BodyModel) -> dict[int, list[PersonInFrame]]:
    """For pictures by their place in the take: who is added to them, of all people after the edits of the roll.

    `frames` are the take's, in order; `body` is the one that the take was made with. Raises UserError
    (``take-damaged``) where time does not go on from picture to picture.
    """
    cameras: list[np.ndarray] = []

    def edited() -> Iterable[Frame]:
        for picture, frame in enumerate(frames):
            cameras.append(frame.world_from_camera.copy())
            yield _edited(frame, picture, roll)

    found: dict[int, list[PersonInFrame]] = {}
    for person in people_of_take(edited(), body):
        for picture, bridge in _bridges_of(person, np.stack(cameras), roll.time_s, limit_s, body):
            found.setdefault(picture, []).append(bridge)
    return found


def _edited(frame: Frame, picture: int, roll: Roll) -> Frame:
    """The frame with those people who stay, under their new numbers."""
    first = roll.starts[picture]
    rows = np.flatnonzero(roll.kept[first : first + len(frame.track_id)])
    kept = {name: getattr(frame, name)[rows] for name in OF_PEOPLE}
    return replace(frame, **kept | {"track_id": np.asarray(roll.track)[first + rows]})


def _bridges_of(
    person: PersonOfTake, cameras: np.ndarray, time_s: np.ndarray, limit_s: float, body: BodyModel
) -> list[tuple[int, PersonInFrame]]:
    at = person.motion.time_s
    filled = fill_gaps(person.motion, limit_s, time_s)
    made = []
    for row in np.flatnonzero(~np.isin(filled.time_s, at)).tolist():
        picture = int(np.searchsorted(time_s, filled.time_s[row]))
        expression = np.array([np.interp(time_s[picture], at, values) for values in person.expression.T])
        bridge = person_in_frame(person.track_id, filled, row, person.betas, expression, cameras[picture], body)
        made.append((picture, bridge))
    return made
