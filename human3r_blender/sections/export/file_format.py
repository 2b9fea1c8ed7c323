# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export format is. `formats/` has them, a file each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from .backdrops import StagedBackdrop
from .motion import Clock
from .naming import safe_name
from .staged_person import Style


@dataclass(frozen=True)
class Request:
    """What a format's writer is asked for besides the people."""

    when: Clock
    target: str = "unity"
    """As in `ExportSettings`."""
    camera: tuple[bpy.types.Object, bpy.types.Scene, Clock] | None = None
    """What `staging.staged` is told of the camera, where it goes with the people."""
    backdrops: tuple[StagedBackdrop, ...] = ()
    """The backdrops that go with the people."""
    clip: str = ""
    """What the animation is called in the file; empty: as the file."""
    style: Style = field(default_factory=Style)
    """How people are put into the file."""

    def clip_in(self, path: Path) -> str:
        """What the animation is called in a file."""
        return safe_name(self.clip or path.stem, "take")


def _nothing_to_check() -> None:
    """Of formats that are written without an exporter of Blender's."""


@dataclass(frozen=True)
class Format:
    """One format of files."""

    name: str
    """In lower case: in settings, on the command line, and at the end of the files' names."""
    number: int
    """Its place among the formats, from 0 on. Saved .blend files hold it: it never changes and is never given again."""
    label: str
    description: str
    write: Callable[[Path, Sequence[Any], Request], None]
    """Writes people who go into one file. Raises UserError."""
    check: Callable[[], None] = _nothing_to_check
    """Finds out whether this Blender can write the format. Raises UserError (``exporter-missing``)."""
    picture_beside: bool = False
    """Whether the backdrop's picture lies beside the file instead of in it."""
    one_person: bool = False
    """Whether a file holds one person."""
    people_only: bool = False
    """Whether it holds bodies of people and no characters."""
    one_person_for: tuple[str, ...] = ()
    """Targets (`ExportSettings.target`) for which a file holds one person."""
    is_numbers: bool = False
    """Whether the numbers that were read of the people are all that `write` needs: a thread may call it."""
    binds_by_name: bool = False
    """Whether readers know bones by their names alone: people share a file only where that is asked for."""

    def holds_everyone(self, target: str) -> bool:
        """Whether all people can go into one file."""
        return not self.one_person and target not in self.one_person_for
