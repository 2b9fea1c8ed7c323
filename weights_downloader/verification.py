# SPDX-License-Identifier: GPL-3.0-or-later
"""Every installed file and every finished download, read in full and compared with what it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.installed.inventory import installed_path, original_path, read_manifest
from engine.installed.registry import Item

from . import records
from .records import Figures
from .reporting import Reporter
from .validate import measure

INTACT, DAMAGED, UNRECORDED = "intact", "damaged", "unrecorded"


@dataclass(frozen=True)
class Finding:
    """What one file turned out to be."""

    name: str
    path: Path
    state: str
    """``intact``, ``damaged``, or ``unrecorded``: nothing says what it must be."""
    detail: str


def verify(items: Sequence[Item], reporter: Reporter) -> list[Finding]:
    """Findings on all files of these items that there are. Standard library only. Raises UserError."""
    findings = []
    for item in items:
        for path, expected in (
            (installed_path(item), _installed_figures(item)),
            (original_path(item), records.known(item)),
        ):
            if path.exists():
                findings.append(_compare(item, path, expected, reporter))
    return findings


def _installed_figures(item: Item) -> Figures:
    """What the manifest or the record says of an installed file."""
    path = installed_path(item)
    if item.kind == "body":
        return records.installed(path.name)
    manifest = read_manifest(path)
    size, sha256 = manifest.get("bytes"), manifest.get("sha256")
    return Figures(size if isinstance(size, int) else None, sha256 if isinstance(sha256, str) else None)


def _compare(item: Item, path: Path, expected: Figures, reporter: Reporter) -> Finding:
    reporter.name = item.name
    reporter.stage("verify")
    measured = measure(path, reporter.progress)
    if expected.differs(measured):
        return Finding(item.name, path, DAMAGED, f"{measured}, instead of {expected}")
    if expected.sha256 is None:
        return Finding(item.name, path, UNRECORDED, str(measured))
    return Finding(item.name, path, INTACT, str(measured))
