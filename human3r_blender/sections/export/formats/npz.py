# SPDX-License-Identifier: GPL-3.0-or-later
"""AMASS-style npz of people in a scene. The file itself is in `amass.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .....engine.contract.rotations import quaternion_to_axis_angle
from .....engine.contract.skeleton import PELVIS
from .. import amass
from ..file_format import Format, Request
from ..motion import PersonMotion


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write a person."""
    (person,) = people
    amass.write(path, amass_motion(person, float(request.when.rate)))


def amass_motion(person: PersonMotion, frame_rate: float) -> amass.AmassMotion:
    """A person as AMASS-style files have it: a body of its natural size, and all lengths with it."""
    trans = person.motion.pelvis / person.scale - person.natural_rest[PELVIS]
    return amass.AmassMotion(
        frame_rate,
        quaternion_to_axis_angle(person.motion.rotations),
        trans,
        person.betas,
        expression=person.expression,
        scale=person.scale,
        hidden=person.hidden if person.hidden.any() else None,
        body=person.body,
    )


FORMAT = Format(
    "npz",
    5,
    "AMASS",
    "SMPL-X poses, positions and shape as numbers (.npz), one file per person",
    write,
    one_person=True,
    people_only=True,
    is_numbers=True,
)
