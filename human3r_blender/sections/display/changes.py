# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects have changed their shape since something was drawn of them: a number that rises with every change.

What is drawn over a view is kept from one redraw to the next, and made anew when this number says so.
"""

from __future__ import annotations

from collections import Counter

import bpy
from bpy.app.handlers import persistent

_revisions: Counter[int] = Counter()
"""By an object's session number."""
_epoch = 0
"""Rises when nothing that was known counts any more."""

_is_watching = not bpy.app.background
"""Without a window nothing is drawn, and batches are spared the handler."""

Revision = tuple[int, int]


def revision(item: bpy.types.Object) -> Revision:
    """What differs after every change of an object's shape."""
    return _epoch, _revisions[item.session_uid]


def forget() -> None:
    """Count everything as changed: undo and file loading replace data-blocks without a word."""
    global _epoch
    _epoch += 1
    _revisions.clear()


@persistent
def _note(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph | None = None) -> None:
    for update in depsgraph.updates if depsgraph is not None and _is_watching else ():
        if update.is_updated_geometry and isinstance(update.id, bpy.types.Object):
            _revisions[update.id.original.session_uid] += 1


@persistent
def _forget(*_: object) -> None:
    forget()


HANDLERS = (
    ("depsgraph_update_post", _note),
    ("frame_change_post", _note),
    ("undo_post", _forget),
    ("redo_post", _forget),
    ("load_post", _forget),
)
switch_off = forget
