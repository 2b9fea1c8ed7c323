# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether installed packages are what their own ``RECORD`` says, and a fingerprint of a package's content."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from ....engine.contract.file_names import long_path
from .locks import normalise

_CHUNK = 1 << 20
_WRITTEN_BY_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"})


def installed_versions(site_packages: Path) -> dict[str, str]:
    """Packages in a folder and their versions."""
    found = {}
    for package in metadata.distributions(path=[str(site_packages)]):
        name = package.metadata["Name"]
        if name:
            found[normalise(name)] = package.version
    return dict(sorted(found.items()))


def damaged_packages(site_packages: Path, on_file: Callable[[], None] = lambda: None) -> list[str]:
    """Names of packages of which a file is missing or is not what was packed. Reads every file once.

    ``on_file`` is called before each file, and may raise to stop.
    """
    damaged = set()
    for package in metadata.distributions(path=[str(site_packages)]):
        name = normalise(package.metadata["Name"] or Path(str(package.locate_file(""))).name)
        files = package.files
        if files is None:
            damaged.add(name)
            continue
        for file in files:
            on_file()
            if file.hash is not None and _digest(Path(str(file.locate())), file.hash.mode) != file.hash.value:
                damaged.add(name)
                break
    return sorted(damaged)


def fingerprints(site_packages: Path, leave_out: frozenset[str]) -> dict[str, str]:
    """What the other packages in a folder consist of: ``{name: version and digest of their RECORD}``.

    The record has the hash of every file, so together with :func:`damaged_packages` this is the whole content. Lines
    that installers add, and programs that they generate, are left out.
    """
    found = {}
    for package in metadata.distributions(path=[str(site_packages)]):
        name = normalise(package.metadata["Name"] or "")
        if name in leave_out:
            continue
        lines = sorted(
            f"{file.as_posix()} {file.hash.value}"
            for file in package.files or ()
            if file.hash is not None
            and ".." not in file.parts
            and not (file.parent.name.endswith(".dist-info") and file.name in _WRITTEN_BY_INSTALLERS)
        )
        found[name] = f"{package.version} sha256:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
    return found


def _digest(path: Path, mode: str) -> str | None:
    """A file's hash as RECORD writes it: base64 for addresses, unpadded. None when it cannot be read."""
    digest = hashlib.new(mode)
    try:
        with open(long_path(path), "rb") as file:  # packages bring paths longer than Windows takes as they are
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return None
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode("ascii")
