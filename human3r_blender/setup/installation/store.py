# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in the engine's folder, and which environment in it counts.

``installed.json`` names the environment that is used. It is written last, beside its place and then renamed: until
then the one before stays in force, and a crash at any moment leaves either the old state or the new one. Environments
are folders of their own that nobody moves; those that no manifest names are leftovers.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from ....engine.contract.errors import UserError
from ....engine.contract.file_names import is_remote, long_path
from ....engine.contract.json_checks import BadJson, build, read_json
from ....engine.contract.whole_file import whole_file

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FORMAT = 1
_NOTE = "engine-folder.json"
"""Beside the engine's usual place: where it lies instead."""


@dataclass(frozen=True)
class Manifest:
    """One finished installation."""

    environment: str
    """Name of the environment's folder."""
    kind: str
    """Kind of the build: ``cpu``, ``cuda``, ..."""
    lock: str
    """:attr:`.locks.Locks.identity` of what was installed."""
    python: str
    """Version of the environment's Python."""
    installed_at: str
    """Date and time, ISO 8601, UTC."""
    versions: dict[str, str] = field(default_factory=dict)
    """Installed packages and their versions."""
    size_bytes: int = 0
    """Of the environment, as installed."""


@dataclass(frozen=True)
class Store:
    """The places under one data folder, and under the short one that may hold the engine for it."""

    data: Path
    named: Path | None = None
    """Where the engine lies; None: where the data folder's own note says, else in the data folder."""

    @property
    def home(self) -> Path:
        """The folder that the engine and the installer's cache are in."""
        return self.named or self._noted() or self.data

    @property
    def _is_short(self) -> bool:
        return self.home != self.data

    @property
    def engine(self) -> Path:
        return self.home if self._is_short else self.data / "engine"

    @property
    def environments(self) -> Path:
        return self.engine / ("e" if self._is_short else "environments")

    @property
    def manifest_path(self) -> Path:
        return self.engine / "installed.json"

    @property
    def records_path(self) -> Path:
        """What was installed first of packages that no lock lists. Outlives a removal on purpose."""
        return self.data / "engine-records.json"

    @property
    def tools(self) -> Path:
        return self.data / "tools"

    @property
    def cache(self) -> Path:
        """What the installer downloaded, so that an interrupted installation goes on and an update is small."""
        return self.home / "c" if self._is_short else self.data / "cache" / "uv"

    def settle(self, home: Path) -> None:
        """Have the engine lie in that folder from now on. Raises OSError."""
        note = self.data / _NOTE
        if home != self.home:
            self.data.mkdir(parents=True, exist_ok=True)
            write_json(note, {"format": _FORMAT, "folder": str(home)})

    def _noted(self) -> Path | None:
        """What the note says; a note that cannot be read, or names no full path on this computer, does not count."""
        try:
            entries = read_json(self.data / _NOTE)
        except (OSError, BadJson):
            return None
        folder = entries.get("folder") if isinstance(entries, dict) else None
        if not isinstance(folder, str) or is_remote(folder) or not Path(folder).is_absolute():
            return None
        return Path(folder)

    def environment_python(self, environment: Path) -> Path:
        if sys.platform == "win32":
            return environment / "Scripts" / "python.exe"
        return environment / "bin" / "python"

    def read_manifest(self) -> Manifest | None:
        """The installation in force; None when there is none, or its manifest cannot be read."""
        try:
            entries = read_json(self.manifest_path)
            if not isinstance(entries, dict) or entries.pop("format", None) != _FORMAT:
                return None
            manifest = build(Manifest, entries)
        except (OSError, BadJson):
            return None
        plain = Path(manifest.environment).name == manifest.environment and manifest.environment not in ("", "..", ".")
        return manifest if plain else None

    def write_manifest(self, manifest: Manifest) -> None:
        """Make an installation the one in force."""
        write_json(self.manifest_path, {"format": _FORMAT, **asdict(manifest)})

    def python_of(self, manifest: Manifest) -> Path:
        return self.environment_python(self.environments / manifest.environment)

    def remove_leftovers(self) -> None:
        """Delete environments that no manifest names; what is in use and cannot go now goes another time."""
        manifest = self.read_manifest()
        for folder in self.environments.glob("*"):
            if manifest is None or folder.name != manifest.environment:
                remove_tree(folder)

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Hold this folder against other installers; the system lets go of it when this process and its children end.

        Gives the lock's file descriptor. Raises :class:`UserError` (``installation-running``).
        """
        self.engine.mkdir(parents=True, exist_ok=True)
        with open(self.engine / "lock", "a+b") as file:
            if not _try_lock(file):
                raise UserError(
                    "installation-running",
                    "Another installation of the engine is running in {engine}.",
                    "Wait for it to finish, or cancel it, then try again.",
                    engine=self.engine,
                )
            yield file.fileno()


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all. Raises OSError."""
    with whole_file(path, synced=True) as written:
        written.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def remove_tree(folder: Path) -> bool:
    """Delete a folder as far as the system lets us, whatever the length of its paths; True when it is gone."""
    place = long_path(folder)
    if sys.version_info >= (3, 12):
        shutil.rmtree(place, onexc=_make_writable_and_retry)
    else:
        shutil.rmtree(place, onerror=_make_writable_and_retry)
    return not os.path.lexists(place)


def _make_writable_and_retry(function: Any, path: str, _: object) -> None:
    """Windows refuses to delete read-only files; what is still refused stays."""
    with contextlib.suppress(OSError):
        Path(path).chmod(stat.S_IWRITE | stat.S_IREAD)
        function(path)


def tree_bytes(folder: Path) -> int:
    """Sizes of all files in a folder, added up; files that vanish meanwhile do not count."""
    total = 0
    for parent, _, names in os.walk(long_path(folder)):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118  (thousands of files a second)
    return total
