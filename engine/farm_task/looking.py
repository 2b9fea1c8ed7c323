# SPDX-License-Identifier: GPL-3.0-or-later
"""What a complete take says of itself, where its task left no note."""

from __future__ import annotations

from pathlib import Path

from ..contract.messages import Frame, TakeEnd
from ..contract.take import TakeReader
from .notes import Note


def facts_of(take: Path) -> Note:
    """Frames, people and device out of the take; the time it took is not known. Raises UserError."""
    people: set[int] = set()
    frames, note = 0, ""
    with TakeReader(take) as reader:
        for message in reader:
            if isinstance(message, Frame):
                people.update(message.track_id.tolist())
                frames += 1
            elif isinstance(message, TakeEnd):
                note = message.note
    return Note("complete", frames, len(people), device=reader.header.settings.device, note=note)
