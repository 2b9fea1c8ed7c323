# SPDX-License-Identifier: GPL-3.0-or-later
"""Which takes were captured or imported last: a short list in the add-on's data folder, newest first.

It is a convenience: whatever is wrong with the file, the list is then shorter or empty, and nothing else suffers.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ...engine.contract.json_checks import BadJson, build, read_json
from ...engine.contract.logs import log
from ...engine.contract.whole_file import whole_file
from ...engine.installed.locations import data_folder
from ..blender import lookout
from .session import Session

MOST = 30
_MOST_BYTES = 1 << 18
_LONGEST = 4096
_LAST_DATE = 4_102_444_800
"""The year 2100, in seconds from 1970 on."""

_listed: list[RecentTake] | None = None


@dataclass(frozen=True)
class RecentTake:
    """One take of the list."""

    take: str
    """Its file's absolute path."""
    clip: str
    """Name of the footage."""
    frames: int
    people: int
    date: float
    """When the file was last written to, in seconds from 1970 on."""

    @property
    def is_sound(self) -> bool:
        """Whether it can be shown; anybody may have written the file."""
        texts = (self.take, self.clip)
        return (
            all(text.isprintable() and 0 < len(text) <= _LONGEST for text in texts)
            and os.path.isabs(self.take)  # noqa: PTH117 - takes any name
            and min(self.frames, self.people) >= 0
            and 0 <= self.date <= _LAST_DATE
        )


def listed() -> list[RecentTake]:
    """The takes that are known, newest first, without a look at the disk but for the first time."""
    global _listed
    if _listed is None:
        _listed = _read()
    return _listed


def present() -> list[RecentTake]:
    """Those whose file is there, as far as is known."""
    return [item for item in listed() if lookout.is_there(item.take) is not False]


def note_run(run: Session) -> None:
    """List the take of a run that is over, if there is something in it; a quick look is none to come back to."""
    if run.header is None or run.is_preview or not run.progress.frames_done:
        return
    clip = Path(run.header.settings.source.replace("\\", "/")).name
    note(Path(run.take), clip, run.progress.frames_done, run.people_count)


def note(take: Path, clip: str, frames: int, people: int) -> None:
    """List a take as the newest one."""
    try:
        item = RecentTake(str(take.absolute()), clip or take.stem, frames, people, take.stat().st_mtime)
    except OSError:
        return
    if item.is_sound:
        _write([item, *(other for other in _read() if other.take != item.take)][:MOST])


def drop(take: Path) -> None:
    """List a take no longer."""
    _write([item for item in _read() if item.take != str(take.absolute())])


def _place() -> Path:
    return data_folder() / "recent-takes.json"


def _read() -> list[RecentTake]:
    try:
        values = read_json(_place(), _MOST_BYTES)
    except (OSError, BadJson):
        return []
    found: dict[str, RecentTake] = {}
    for value in values if isinstance(values, list) else ():
        try:
            item = build(RecentTake, value)
        except BadJson:
            continue
        if item.is_sound:
            found.setdefault(item.take, item)
    return [*found.values()][:MOST]


def _write(items: list[RecentTake]) -> None:
    global _listed
    _listed = items
    lookout.forget()
    try:
        with whole_file(_place()) as written:
            written.write_text(json.dumps([asdict(item) for item in items], indent=1), encoding="utf-8")
    except OSError as error:
        log.warning("the list of recent takes was not written: %s", error)


def switch_off() -> None:
    global _listed
    _listed = None
