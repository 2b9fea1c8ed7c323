# SPDX-License-Identifier: GPL-3.0-or-later
"""Contacts that somebody marked or took away by hand: they count more than what is found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.errors import UserError

FEET, HANDS = ("left_foot", "right_foot"), ("left_hand", "right_hand")
LIMBS = (*FEET, *HANDS)


@dataclass(frozen=True)
class ContactEdit:
    """What a limb does in a time, both ends included. Raises UserError (``bad-contact``) when made of nonsense."""

    limb: str
    """One of `LIMBS`."""
    first_s: float
    last_s: float
    stands: bool
    """Whether it rests, or is free."""

    def __post_init__(self) -> None:
        if self.limb not in LIMBS or not np.isfinite([self.first_s, self.last_s]).all() or self.last_s < self.first_s:
            raise UserError(
                "bad-contact",
                "No contact can be made of {limb} from {first} s to {last} s.",
                "Name a foot or a hand, and a time that ends after it begins.",
                limb=self.limb,
                first=self.first_s,
                last=self.last_s,
            )


ContactEdits = tuple[ContactEdit, ...]
"""Where two of them contradict each other, the later one counts."""


def with_edits(found: np.ndarray, time_s: np.ndarray, limbs: tuple[str, ...], edits: ContactEdits) -> np.ndarray:
    """(T, n) bool, contacts of n limbs as found, with what the edits say at (T,) times instead."""
    result = found.copy()
    for edit in edits:
        for column in np.flatnonzero([limb == edit.limb for limb in limbs]):
            result[_within(time_s, edit), column] = edit.stands
    return result


def marked(time_s: np.ndarray, limbs: tuple[str, ...], edits: ContactEdits) -> np.ndarray:
    """(T, n) bool, where limbs rest because somebody said so."""
    return with_edits(np.zeros((len(time_s), len(limbs)), dtype=bool), time_s, limbs, edits)


def _within(time_s: np.ndarray, edit: ContactEdit) -> np.ndarray:
    """(T,) bool; times that were computed from frames may be off by rounding."""
    return (time_s >= edit.first_s - 1e-6) & (time_s <= edit.last_s + 1e-6)
