# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was asked for besides people to files: checked first, written here, and the rest by the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ....engine.contract.sentences import Sentence
from ....engine.contract.take_export import TakeExportSettings
from ....engine.contract.whole_file import explained_write_errors, whole_file
from ...setup import jobs
from ...setup.engine_python import find_python
from . import exporting
from .scene_files import SCENE_FILES, take_files
from .scene_files.scene_file import Scenery


@dataclass(frozen=True)
class SceneExport:
    """An export of these, by their names in `SCENE_FILES`."""

    names: Sequence[str]
    folder: Path
    stem: str
    take: TakeExportSettings
    overwrite: bool = False
    preferred_python: str = ""

    def path(self, name: str) -> Path:
        """Where one of them is written."""
        return SCENE_FILES[name].path(self.folder, self.stem)

    @property
    def by_engine(self) -> list[str]:
        """Those that the engine writes."""
        return [name for name in self.names if SCENE_FILES[name].write is None]

    def check_place(self) -> None:
        """Find out before a scene is there what would stop it. Raises UserError (``output-exists``, ``no-engine``)."""
        for path in map(self.path, self.names):
            if path.exists() and not self.overwrite:
                raise exporting.taken(path)
        if self.by_engine:
            find_python(self.preferred_python)

    def check(self, scenery: Scenery) -> None:
        """Find out what would stop it, before anything is written. Raises UserError."""
        self.check_place()
        for name in self.names:
            SCENE_FILES[name].check(scenery)

    def write_here(self, scenery: Scenery) -> list[Path]:
        """Write what needs no engine. Raises UserError."""
        written = []
        for name in self.names:
            write, path = SCENE_FILES[name].write, self.path(name)
            if write is None:
                continue
            explained = explained_write_errors(Sentence("{path} cannot be written", path=path), "output-unwritable")
            with explained, whole_file(path) as place:
                write(place, scenery)
            written.append(path)
        return written

    def start_engine(self, scenery: Scenery) -> jobs.TakeExport:
        """Let the engine write the rest. Raises UserError."""
        return jobs.export_take(
            take_files.arguments(
                scenery.take_root(), self.by_engine, self.folder, self.stem, self.take, self.overwrite
            ),
            self.preferred_python,
        )
