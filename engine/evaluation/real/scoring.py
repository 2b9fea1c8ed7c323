# SPDX-License-Identifier: GPL-3.0-or-later
"""How far projected bodies are from what was noted by eye: distances in pixels, as shares of the person's box height.

In each frame annotated and predicted people are matched, the closest pair first, by the mean distance of their joints.
Somebody is found when the median distance of a match is at most a quarter of the box's height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from .annotations import AnnotatedPerson
from .points import HIPS, INDEX, LIMBS

FOUND_WITHIN = 0.25
"""Share of the box's height. A body whose joints are farther off, half of them, stands for somebody else."""

CLOSE, NEAR = 0.05, 0.1
"""Shares of the box's height within which joints are counted."""


@dataclass(frozen=True)
class RealScore:
    """Counts and errors of one or more clips; `a + b` pools them. Errors are shares of the box's height."""

    people: int = 0
    """Annotated people, one in each frame that they are in."""
    found: int = 0
    joints: int = 0
    """Annotated limb joints of everybody, found or not."""
    errors: tuple[float, ...] = ()
    """Of the limb joints of those found."""
    head_errors: tuple[float, ...] = ()
    hip_errors: tuple[float, ...] = ()
    sides_told: int = 0
    """People found of whom a left and a right joint of the same kind are annotated."""
    swapped: int = 0
    """Those of them who fit better with left and right exchanged."""
    empty_frames: int = 0
    invented: int = 0
    """Predicted people in frames that nobody is in."""
    unmatched: int = 0
    """Predicted people who matched nobody, in frames that somebody is in. Not everybody there may be annotated."""

    def __add__(self, other: RealScore) -> RealScore:
        return RealScore(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    @property
    def median(self) -> float | None:
        return float(np.median(self.errors)) if self.errors else None

    @property
    def mean(self) -> float | None:
        return float(np.mean(self.errors)) if self.errors else None

    def share_within(self, bound: float) -> float | None:
        """Of all annotated limb joints, those of people who were not found among them."""
        return float(np.sum(np.array(self.errors) < bound)) / self.joints if self.joints else None


@dataclass(frozen=True)
class Match:
    """A predicted person who stands for an annotated one."""

    person: int
    prediction: int


@dataclass(frozen=True)
class Sighting:
    """What became of one annotated person in one frame."""

    frame: int
    person: str | None
    """The name in the annotations, where there is one."""
    track: int | None
    """Of the prediction that stands for the person; None where nobody does."""
    median: float | None
    """Of the limb joints' errors."""
    swapped: bool


def match(people: Sequence[AnnotatedPerson], points_px: np.ndarray) -> list[Match]:
    """Who stands for whom; `points_px` is (predictions, points, 2). Each is matched at most once."""
    costs = {}
    for number, person in enumerate(people):
        for prediction, points in enumerate(points_px):
            errors = _errors(person, points, tuple(person.joints_px))
            judged = _errors(person, points, LIMBS) or errors
            if judged and np.median(judged) <= FOUND_WITHIN:
                costs[number, prediction] = float(np.mean(errors))
    matches: list[Match] = []
    for number, prediction in sorted(costs, key=costs.__getitem__):
        if all(number != known.person and prediction != known.prediction for known in matches):
            matches.append(Match(number, prediction))
    return matches


def score_frame(people: Sequence[AnnotatedPerson], points_px: np.ndarray, matches: Sequence[Match]) -> RealScore:
    """The score of one frame."""
    total = RealScore(
        people=len(people),
        found=len(matches),
        joints=sum(name in LIMBS for person in people for name in person.joints_px),
        empty_frames=int(not people),
        invented=0 if people else len(points_px),
        unmatched=len(points_px) - len(matches) if people else 0,
    )
    return sum((_score_person(people[pair.person], points_px[pair.prediction]) for pair in matches), total)


def sightings(
    frame: int,
    people: Sequence[AnnotatedPerson],
    points_px: np.ndarray,
    matches: Sequence[Match],
    track_id: Sequence[int],
) -> list[Sighting]:
    """One frame, person by person; `track_id` (predictions,) says who the predicted ones are."""
    prediction_of = {pair.person: pair.prediction for pair in matches}
    found = []
    for number, person in enumerate(people):
        prediction = prediction_of.get(number)
        if prediction is None:
            found.append(Sighting(frame, person.name, None, None, False))
        else:
            score = _score_person(person, points_px[prediction])
            found.append(Sighting(frame, person.name, int(track_id[prediction]), score.median, bool(score.swapped)))
    return found


def _score_person(person: AnnotatedPerson, points_px: np.ndarray) -> RealScore:
    paired = [name for name in LIMBS if {name, _other_side(name)} <= set(person.joints_px)]
    straight = sum(_distance(person, points_px, name, name) for name in paired)
    exchanged = sum(_distance(person, points_px, name, _other_side(name)) for name in paired)
    return RealScore(
        errors=_errors(person, points_px, LIMBS),
        head_errors=_errors(person, points_px, ("head",)),
        hip_errors=_errors(person, points_px, HIPS),
        sides_told=int(bool(paired)),
        swapped=int(exchanged < straight),
    )


def _errors(person: AnnotatedPerson, points_px: np.ndarray, names: Sequence[str]) -> tuple[float, ...]:
    return tuple(
        _distance(person, points_px, name, name) / person.height_px for name in names if name in person.joints_px
    )


def _distance(person: AnnotatedPerson, points_px: np.ndarray, noted: str, predicted: str) -> float:
    return float(np.linalg.norm(points_px[INDEX[predicted]] - person.joints_px[noted]))


def _other_side(name: str) -> str:
    return {"l": "r", "r": "l"}[name[0]] + name[1:]
