# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock files in ``requirements/lock``: what they name, how large it is, and whether they changed.

``python3 build.py lock`` writes them from ``requirements/engine.txt``; uv reads them.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from ...blender.child_process import EXTENSION_ROOT
from .builds import Build

LOCK_FOLDER = EXTENSION_ROOT / "requirements" / "lock"
UV_LOCK, SIZES = "uv.txt", "sizes.json"
LONGEST_PATH = "longest_path"
"""What the file of sizes knows beside sizes. Builds of torch that no lock lists have the paths of the one listed."""

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Locks:
    """The lock files of one build."""

    build: Build
    folder: Path = LOCK_FOLDER

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(self.folder / name for name in self.build.locks)

    @property
    def identity(self) -> str:
        """Changes whenever another installation would come out."""
        digest = hashlib.sha256()
        for path in self.files:
            digest.update(path.read_bytes())
        digest.update(f"{self.build.channel} {self.build.unlisted}".encode())
        return digest.hexdigest()

    @property
    def names(self) -> frozenset[str]:
        """Normalised names of the packages whose hashes are locked."""
        return frozenset(normalise(name) for path in self.files for name, _ in pins(path))

    def download_bytes(self, system: str, machine: str) -> int:
        """What is downloaded onto an empty cache; 0 where the lock does not say."""
        sizes = self._sizes()
        return self.build.torch_bytes + sum(
            sizes.get(name, {}).get(f"{system}-{machine}", 0) for name in self.build.locks
        )

    def longest_path(self, system: str, machine: str) -> int:
        """Characters of the longest path that is installed below the folder of packages; 0 where any will do."""
        return self._sizes().get(LONGEST_PATH, {}).get(f"{system}-{machine}", 0)

    def _sizes(self) -> dict[str, dict[str, int]]:
        return json.loads((self.folder / SIZES).read_text(encoding="utf-8"))


def pins(path: Path) -> list[tuple[str, str]]:
    """(name, version) of each requirement in a lock file; one name may have two versions, for different Pythons."""
    return _PIN.findall(path.read_text(encoding="utf-8"))


def uv_version(folder: Path = LOCK_FOLDER) -> str:
    """The version of uv that the lock names."""
    return dict(pins(folder / UV_LOCK))["uv"]


def normalise(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
