# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in which picture of a take: read once, changed by the edits, and followed when the new take is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..contract.errors import UserError
from ..contract.messages import Frame, TakeHeader
from ..contract.person_names import numbered_name
from ..contract.take import TakeReader, records


@dataclass(frozen=True)
class Entry:
    """What there is to say of one person."""

    person: int
    """The track id."""
    name: str
    hidden: bool
    pictures: int
    """How many show the person."""
    first_picture: int
    """Of the footage, counted from 0."""
    last_picture: int
    first_s: float
    """Seconds from the footage's first picture."""
    last_s: float
    longest_gap_s: float
    """The longest time between two pictures with the person; 0 for a person in one picture."""


class Roll:
    """The people of a take, one row for each person in each picture, as they are after the edits so far."""

    def __init__(self, reader: TakeReader) -> None:
        """Reads the take to its end (its last good record). `reader.problem` says how that went."""
        header = reader.header
        self.tell: Callable[[int, int], None] = lambda done, total: None
        """Is called for every picture that is written: how many are, and of how many."""
        self.names: dict[int, str] = dict(header.person_names)
        self.hidden: set[int] = set(header.hidden_people)
        source_frame, time_s, tracks = [], [], []
        self.end = reader.offset
        """Byte offset in the take up to which it was read."""
        for message, _, self.end in records(reader):
            if isinstance(message, Frame):
                source_frame.append(message.source_frame)
                time_s.append(message.time_s)
                tracks.append(message.track_id.astype(np.int64))
        self.source_frame = np.array(source_frame, dtype=np.int64)
        """(pictures,) of the footage, counted from 0."""
        self.time_s = np.array(time_s, dtype=np.float64)
        """(pictures,) seconds."""
        self.starts = np.cumsum([0, *(len(some) for some in tracks)])
        """(pictures + 1,) where each picture's rows begin."""
        self.row_picture = np.repeat(np.arange(len(tracks)), np.diff(self.starts))
        """(rows,) the picture of each row."""
        self.read_as = np.concatenate([*tracks, np.empty(0, np.int64)])
        """(rows,) track ids in the file."""
        self.track = self.read_as.copy()
        """(rows,) track ids after the edits."""
        self.kept = np.ones(len(self.track), dtype=bool)
        """(rows,) False for what the edits leave out."""
        self._next = int(self.track.max(initial=-1)) + 1

    def rows_of(self, person: int) -> np.ndarray:
        """(rows,) bool."""
        return np.asarray(self.kept & (self.track == person))

    def people(self) -> list[int]:
        """Track ids of everybody who is seen, ascending."""
        return [int(person) for person in np.unique(self.track[self.kept])]

    def require(self, person: int) -> None:
        """Raises UserError (``no-such-person``) where nobody has this number."""
        if person not in self.people():
            numbers = ", ".join(map(str, self.people()))
            raise UserError(
                "no-such-person",
                "There is no person {person} at this point of the edits.",
                "Use one of these numbers: {numbers}."
                if numbers
                else "Choose another take: nobody is seen in this one.",
                person=person,
                numbers=numbers,
            )

    def new_person(self) -> int:
        """A number that nobody in the take ever had."""
        self._next += 1
        return self._next - 1

    def forget(self, person: int) -> None:
        """Drop what is known of somebody who is not in the take any more."""
        self.names.pop(person, None)
        self.hidden.discard(person)

    def entries(self) -> list[Entry]:
        """Everybody who is seen, by number."""
        return [self._entry(person) for person in self.people()]

    def on_header(self, header: TakeHeader) -> TakeHeader:
        """A take's header with the names and the hiding that the edits left."""
        left = set(self.people())
        names = tuple(sorted((person, name) for person, name in self.names.items() if person in left))
        return replace(header, person_names=names, hidden_people=tuple(sorted(self.hidden & left)))

    def _entry(self, person: int) -> Entry:
        pictures = self.row_picture[self.rows_of(person)]
        first, last = int(pictures[0]), int(pictures[-1])
        return Entry(
            person,
            self.names.get(person, numbered_name(person)),
            person in self.hidden,
            len(pictures),
            int(self.source_frame[first]),
            int(self.source_frame[last]),
            float(self.time_s[first]),
            float(self.time_s[last]),
            float(np.diff(self.time_s[pictures]).max(initial=0.0)),
        )
