# SPDX-License-Identifier: GPL-3.0-or-later
"""What may run now: whoever does long work says here whether it is at it, and operators ask before they begin."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from .text import tr

RUN, TASK, EDIT = "run", "task", "edit"
"""A capture or an import that fills the scene; a download or an installation; an operator that works in slices."""

_at_work: dict[str, Callable[[], bool]] = {}


def announce(kind: str, is_at_work: Callable[[], bool]) -> None:
    """Say how to find out whether this kind of work is going on."""
    _at_work[kind] = is_at_work


def is_busy(*kinds: str) -> bool:
    """Whether work of one of these kinds, or of any kind for none, is going on."""
    return any(is_at_work() for kind, is_at_work in _at_work.items() if not kinds or kind in kinds)


def nothing_runs(operator: type[bpy.types.Operator]) -> bool:
    """Whether an operator that changes a scene may begin; sets its poll message where a run is still filling one."""
    if is_busy(RUN):
        operator.poll_message_set(tr("A capture or import is in progress: wait for it to finish, or cancel it"))
        return False
    return not is_busy(EDIT)
