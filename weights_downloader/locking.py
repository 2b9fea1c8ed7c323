# SPDX-License-Identifier: GPL-3.0-or-later
"""One process at a time works on an item; the next one says that it waits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from engine.installed.inventory import original_path
from engine.installed.registry import Item

from .part import explained_disk_errors
from .reporting import Reporter

_LOOK_EVERY_S = 0.2


@contextlib.contextmanager
def locked(item: Item, reporter: Reporter) -> Iterator[None]:
    """Hold the item's lock. The system gives it back when a process dies, so nothing is ever stale."""
    from filelock import FileLock, Timeout

    target = original_path(item)
    with explained_disk_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target.with_name(target.name + ".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            reporter.stage("waiting")
            lock.acquire(poll_interval=_LOOK_EVERY_S)
    try:
        yield
    finally:
        lock.release()
