# SPDX-License-Identifier: GPL-3.0-or-later
"""How far feet move from frame to frame while they stand, where the last of several motions of people says they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...contract.body_model import BodyModel
from ...contract.messages import Frame
from ...motion.contacts import CONTACT_JOINTS, find_contacts
from ...motion.people_of_take import PersonOfTake, people_of_take

LEAST_STEPS = 10
"""Whoever's heels and balls stand in fewer steps, from one frame to the next, is not counted as the worst."""


@dataclass(frozen=True)
class Standing:
    """Steps of heels and balls of feet that stand before and after it."""

    steps: int
    mean_mm: float
    """Over all of them, millimeters a frame of the footage."""
    worst_mm: float
    """Of the person whose mean is the largest."""


def standing_feet(
    motions: Mapping[str, Sequence[Frame]], body: BodyModel, up: np.ndarray
) -> dict[str, Standing | None]:
    """By the names of the motions, whose frames are the same but for the people; None where nobody stands. Feet stand
    where those of the last motion do: what is slow and low in it. `up` (3,) is away from the floor, take world.
    """
    people = {name: people_of_take(frames, body) for name, frames in motions.items()}
    stands = [find_contacts(one.motion, up) for one in list(people.values())[-1]]
    numbers = np.array([frame.source_frame for frame in list(motions.values())[-1]])
    return {
        name: _standing([_moves(*one, numbers) for one in zip(own, stands, strict=True)])
        for name, own in people.items()
    }


def _moves(person: PersonOfTake, stands: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(n,) meters that points move in a frame of the footage while they stand; `numbers` are those of the take's."""
    motion = person.motion
    moves: np.ndarray = np.linalg.norm(np.diff(motion.joints()[:, list(CONTACT_JOINTS)], axis=0), axis=-1)
    moves /= np.maximum(np.diff(numbers[person.places]), 1)[:, None]
    in_a_row = np.zeros(len(moves), dtype=bool)
    for frames in motion.stretches():
        in_a_row[frames.start : frames.stop - 1] = True
    return moves[stands[1:] & stands[:-1] & in_a_row[:, None]]


def _standing(moves: list[np.ndarray]) -> Standing | None:
    all_moves = np.concatenate([np.zeros(0), *moves])
    if not len(all_moves):
        return None
    means = [float(own.mean()) for own in moves if len(own) >= LEAST_STEPS] or [float(all_moves.mean())]
    return Standing(len(all_moves), 1000 * float(all_moves.mean()), 1000 * max(means))
