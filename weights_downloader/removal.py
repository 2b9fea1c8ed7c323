# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing an item: all that it has in the data folder, and nothing elsewhere."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

from engine.installed.inventory import installed_path, manifest_path, origin_path, original_path, part_path
from engine.installed.registry import Item

from .locking import locked
from .part import explained_disk_errors
from .reporting import Reporter


def files(item: Item) -> list[Path]:
    """The item's files that there are. The record of its size and hash is none of them: it is for the next download."""
    installed, original = installed_path(item), original_path(item)
    manifest = [manifest_path(installed)] if item.kind == "weights" else []
    candidates = (*manifest, installed, original, origin_path(original), part_path(original))
    return [path for path in candidates if path.exists()]


def remove(item: Item, reporter: Reporter) -> int:
    """Delete them; returns the bytes freed. Blender's own Python, which lacks filelock, does it without the lock."""
    lock = locked(item, reporter) if importlib.util.find_spec("filelock") else contextlib.nullcontext()
    with lock:
        freed = 0
        for path in files(item):
            with explained_disk_errors(path.parent):
                size = path.stat().st_size
                path.unlink()
                freed += size
    return freed
