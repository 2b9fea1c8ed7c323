# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits of a take's people, each with its rule. They say what becomes of a roll; none touches a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..contract.errors import UserError
from ..contract.person_names import checked_name
from .roll import Roll

_ROUNDING_S = 1e-6


class Edit(Protocol):
    """One change of who is who."""

    def apply(self, roll: Roll) -> None:
        """Change the roll. Raises UserError where the edit makes no sense for it."""


@dataclass(frozen=True)
class Moment:
    """A place in the footage: everything from there on is meant."""

    picture: int = 0
    """Picture of the footage, counted from 0, as the settings `start` and `end` of a capture count."""
    time_s: float | None = None
    """Seconds from the footage's first picture; None where the picture counts."""
    row: int | None = None
    """Place in the take, counted from 0, whichever picture of the footage that is; None where the others count."""

    def reached(self, roll: Roll) -> np.ndarray:
        """(pictures,) bool: which of a take's pictures are there or later."""
        if self.row is not None:
            return np.arange(len(roll.source_frame)) >= self.row
        if self.time_s is None:
            return roll.source_frame >= self.picture
        return roll.time_s >= self.time_s - _ROUNDING_S


@dataclass(frozen=True)
class Merge:
    """Several people are one. In a picture that shows two of them the one named first counts, and the other is left
    out.
    """

    into: int
    """The person that stays, with name and number."""
    others: tuple[int, ...]

    def apply(self, roll: Roll) -> None:
        for person in (self.into, *self.others):
            roll.require(person)
        if self.into in self.others or len(set(self.others)) < len(self.others):
            raise UserError(
                "bad-edit", "Person {into} cannot be merged with itself.", "Name each person once.", into=self.into
            )
        for other in self.others:
            taken = np.isin(roll.row_picture, roll.row_picture[roll.rows_of(self.into)])
            rows = roll.rows_of(other)
            roll.kept[rows & taken] = False
            roll.track[rows & ~taken] = self.into
            roll.forget(other)


@dataclass(frozen=True)
class Split:
    """One person becomes two: who is seen from a moment on gets the next free number."""

    person: int
    at: Moment

    def apply(self, roll: Roll) -> None:
        roll.require(self.person)
        rows = roll.rows_of(self.person)
        late = rows & self.at.reached(roll)[roll.row_picture]
        if not late.any() or late.sum() == rows.sum():
            raise UserError(
                "nothing-to-split",
                "Person {person} is not seen on both sides of that moment.",
                "Choose a moment between the first and the last frame with the person.",
                person=self.person,
            )
        roll.track[late] = roll.new_person()


@dataclass(frozen=True)
class Swap:
    """Two people change places from a moment on; names and numbers stay with what was before."""

    first: int
    second: int
    at: Moment

    def apply(self, roll: Roll) -> None:
        roll.require(self.first)
        roll.require(self.second)
        if self.first == self.second:
            raise UserError(
                "bad-edit",
                "Person {first} cannot be swapped with itself.",
                "Name two different people.",
                first=self.first,
            )
        late = self.at.reached(roll)[roll.row_picture]
        first, second = roll.rows_of(self.first) & late, roll.rows_of(self.second) & late
        if not (first.any() or second.any()):
            raise UserError(
                "nothing-to-swap",
                "Neither person {first} nor person {second} is seen from there on.",
                "Choose an earlier moment.",
                first=self.first,
                second=self.second,
            )
        roll.track[first], roll.track[second] = self.second, self.first
        for person in (self.first, self.second):
            if not roll.rows_of(person).any():
                raise UserError(
                    "nobody-left",
                    "Person {person} would have no motion left.",
                    "Merge {first} and {second} instead.",
                    person=person,
                    first=self.first,
                    second=self.second,
                )


@dataclass(frozen=True)
class Rename:
    """A person gets a name."""

    person: int
    name: str

    def apply(self, roll: Roll) -> None:
        roll.require(self.person)
        roll.names[self.person] = checked_name(self.name)


@dataclass(frozen=True)
class Delete:
    """A person is left out of the take."""

    person: int

    def apply(self, roll: Roll) -> None:
        roll.require(self.person)
        roll.kept[roll.rows_of(self.person)] = False
        roll.forget(self.person)


@dataclass(frozen=True)
class Hide:
    """A person stays in the take, and is hidden in scenes that it is imported into; or is shown again."""

    person: int
    hidden: bool = True

    def apply(self, roll: Roll) -> None:
        roll.require(self.person)
        (roll.hidden.add if self.hidden else roll.hidden.discard)(self.person)
