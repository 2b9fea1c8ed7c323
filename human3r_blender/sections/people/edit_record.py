# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done to a take's people by hand, kept on its root in the order in which it was done.

Each edit is one of `engine edit-take`, so that *Save to Take* can do the same to the take. It lies in the scene: undo
takes it back with the edit. Edits of people whom the user copied are not kept, for the take has the original alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import bpy
import numpy as np

from ....engine.contract.errors import UserError
from ....engine.contract.json_checks import BadJson, build, parse_json
from ....engine.contract.person_names import checked_name
from ...blender import tags
from ...person import family, rows

MERGE, SPLIT, SWAP, RENAME, DELETE, HIDE, SHOW, FILL = (
    "merge", "split", "swap", "rename", "delete", "hide", "show", "fill",
)  # fmt: skip
_PEOPLE = {MERGE: (2, 10_000), SPLIT: (1, 1), SWAP: (2, 2), RENAME: (1, 1), DELETE: (1, 1), HIDE: (1, 1), SHOW: (1, 1),
           FILL: (0, 0)}  # fmt: skip
"""By edit, how many people it names: at least, at most."""
MOST = 10_000
_MOST_TRACK = 1 << 30
_LONGEST_GAP_S = 1e6
_AT_ONCE = 0.01
"""Scene frames. A key this little before a frame is at it, as for `editing.py`."""


@dataclass(frozen=True)
class Recorded:
    """One edit."""

    edit: str
    people: tuple[int, ...] = ()
    """Track ids, the person that stays first."""
    row: int = 0
    """For a split and a swap: place in the take from which on it counts, from 0."""
    name: str = ""
    limit_s: float = 0.0
    """For gaps that are filled: up to how many seconds."""

    @property
    def is_sound(self) -> bool:
        """Whether it can be done; anybody may have written the property."""
        least, most = _PEOPLE.get(self.edit, (1, 0))
        numbers = (*self.people, self.row)
        if not least <= len(self.people) <= most or not all(0 <= number < _MOST_TRACK for number in numbers):
            return False
        try:
            return self.edit != RENAME or checked_name(self.name) == self.name
        except UserError:
            return False

    @property
    def arguments(self) -> list[str]:
        """Those of ``engine edit-take``."""
        names = ",".join(map(str, self.people))
        if self.edit == FILL:
            return []  # made last, and once: `arguments_of`
        text = {SPLIT: f"{names}@#{self.row}", SWAP: f"{names}@#{self.row}", RENAME: f"{names}={self.name}"}
        return [f"--{self.edit}={text.get(self.edit, names)}"]


def read(root: bpy.types.Object) -> list[Recorded]:
    """What was done, in order. Raises UserError (``edits-damaged``) where that cannot be told."""
    text = tags.text(root, tags.EDITS)
    try:
        values = parse_json(text) if text else []
        if not isinstance(values, list) or len(values) > MOST:
            raise BadJson("it is no list of edits")
        edits = [build(Recorded, value) for value in values]
    except BadJson:
        edits = None
    if edits is None or not all(edit.is_sound and 0 <= edit.limit_s <= _LONGEST_GAP_S for edit in edits):
        raise UserError(
            "edits-damaged",
            "What was done to the people of {name} cannot be read any more.",
            "Import the take again, and do it there.",
            name=root.name,
        )
    return edits


def write(root: bpy.types.Object, edits: Sequence[Recorded]) -> None:
    """Keep these edits in place of those there were."""
    if edits:
        root[tags.EDITS] = json.dumps([asdict(edit) for edit in edits])
    elif tags.EDITS in root:
        del root[tags.EDITS]


def arguments_of(edits: Sequence[Recorded]) -> list[str]:
    """All of them for ``engine edit-take``: in their order, and gaps last."""
    gaps = [edit.limit_s for edit in edits if edit.edit == FILL]
    return [
        *(argument for edit in edits for argument in edit.arguments),
        *([f"--fill-gaps={max(gaps)!r}"] if gaps else []),
    ]


def note(root: bpy.types.Object | None, edit: Recorded) -> None:
    """Add an edit that was just made. Where the record cannot be read, or is another file's, it stays as it is."""
    if root is None or root.library is not None:
        return
    try:
        edits = read(root)
    except UserError:
        return
    last = edits[-1] if edits else None
    if last is not None and {last.edit, edit.edit} <= {HIDE, SHOW} and last.people == edit.people:
        edits.pop()  # the eye is often pressed
    write(root, [*edits, edit][:MOST])


def root_for(item: bpy.types.Object) -> bpy.types.Object | None:
    """The root that keeps a person's edits; None for a copy, and for one who has copies."""
    root = family.root(item)
    if root is None or not len(tags.numbers(root, tags.PICTURES)):
        return None
    alike = [other for other in family.people_under(root) if family.order(other) == family.order(item)]
    return root if alike == [item] else None


def track(item: bpy.types.Object) -> int:
    """A person's number."""
    return int(item[tags.TRACK])


def row_at(item: bpy.types.Object, frame: float) -> int:
    """The place in the take of the first picture at a scene frame or later."""
    return int(np.searchsorted(rows.pictures(item), frame - _AT_ONCE))


def note_filled(chosen: Collection[bpy.types.Object], limit_s: float) -> None:
    """Gaps of some people were filled. The take can only have that of all people of it."""
    for root in {root for item in chosen if (root := root_for(item)) is not None}:
        if set(family.people_under(root)) <= set(chosen):
            note(root, Recorded(FILL, limit_s=limit_s))
