# SPDX-License-Identifier: GPL-3.0-or-later
"""Named values of a file, asked for under all the names that programs give them. Numpy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ....engine.contract.inert_pickle import BadPickle
from ....engine.contract.saved_values import as_numbers, object_of

LARGEST = 1e5
"""Above every number that a motion can have: meters, radians, betas."""


class Table:
    """The entries of an archive or of a pickled table. Names match in any case."""

    def __init__(self, entries: Mapping[Any, Any], unreadable: Iterable[str] = ()) -> None:
        self.entries = {str(name).lower(): value for name, value in entries.items()}
        self.unreadable = set(unreadable)
        """Names of entries that were asked for and cannot be used."""

    def name(self, names: Iterable[str]) -> str | None:
        """The first of these names that is an entry."""
        return next((name for name in names if name in self.entries), None)

    def numbers(self, *names: str) -> np.ndarray | None:
        """The numbers under the first of these names that has any, float64; None without. One number is (1,)."""
        for name in names:
            if self.entries.get(name) is not None:
                try:
                    return np.atleast_1d(as_numbers(self.entries[name]).astype(np.float64))
                except BadPickle:
                    self.unreadable.add(name)
        return None

    def text(self, *names: str) -> str:
        """The text under the first of these names; empty without."""
        for name in names:
            if name in self.entries:
                found = _text(self.entries[name])
                if found is not None:
                    return found
                self.unreadable.add(name)
        return ""

    def list_of(self, name: str) -> Sequence[Any]:
        """The list under a name; empty without."""
        found = self.entries.get(name)
        return found if isinstance(found, list | tuple) else ()

    def table(self, *names: str) -> Table | None:
        """The table under the first of these names."""
        found = next((self.entries[name] for name in names if isinstance(self.entries.get(name), Mapping)), None)
        return None if found is None else Table(found)


def _text(value: Any) -> str | None:
    inside = object_of(value)
    value = value if inside is None else inside
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size == 1 else None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else None


def finite_rows(values: np.ndarray) -> np.ndarray:
    """(T, ...) to (T,) whether all numbers of a row are possible ones."""
    with np.errstate(invalid="ignore"):
        return (np.abs(values) < LARGEST).reshape(len(values), -1).all(axis=1)
