# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task says of itself beside its take, and the report reads: how it ended, where, and in which time."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..contract.json_checks import BadJson, build, read_json
from ..contract.whole_file import whole_file
from ..farm.places import note_path


@dataclass(frozen=True)
class Note:
    """How a task ended on one clip."""

    status: str
    """``complete``, ``cancelled`` or ``failed``."""
    frames: int = 0
    people: int = 0
    seconds: float = 0.0
    """Of the last worker; what others did before an interruption is not counted."""
    device: str = ""
    host: str = field(default_factory=socket.gethostname)
    note: str = ""
    error: dict[str, str] | None = None
    """``code``, ``message`` and ``remedy`` of what went wrong."""


def write_note(take: Path, note: Note) -> None:
    """Leave a note beside a take; the take counts, so a disk that refuses the note fails nothing."""
    with contextlib.suppress(OSError), whole_file(note_path(take)) as written:
        written.write_text(json.dumps(asdict(note), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_note(take: Path) -> Note | None:
    """The note beside a take; None where there is none that can be read."""
    try:
        return build(Note, read_json(note_path(take)))
    except (OSError, BadJson):
        return None
