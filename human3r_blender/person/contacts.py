# SPDX-License-Identifier: GPL-3.0-or-later
"""When a person's feet and hands rest: as the clean-up found it, and as somebody edited it by hand.

Edits lie on the armature as JSON, in scene frames as keys do: they are copied, saved and undone with the person, and
whoever had the file may have written anything there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import bpy
import numpy as np

from ...engine.contract.json_checks import BadJson, build, parse_json
from ...engine.contract.skeleton import (
    JOINT_INDEX,
    LEFT_COLLAR,
    LEFT_HIP,
    PARENTS,
    PELVIS,
    RIGHT_COLLAR,
    RIGHT_HIP,
)
from ...engine.motion.contact_edits import LIMBS, ContactEdit, ContactEdits, with_edits
from ...engine.motion.contacts import runs
from ..blender import keyframes, tags
from . import family
from .motion import LOCATION

EDITS = "human3r_contact_edits"
"""On the armature: what somebody said by hand, a JSON list of `Edit`s."""

RESTING = "human3r_contacts"
"""On a clean Action: for every key of the pelvis which points rest, as a sum of 1 for the left heel, 2 for the right
heel, 4 for the ball of the left foot, 8 for that of the right, 16 for the left hand and 32 for the right one."""

_OF_LIMBS = np.array([4, 8, 16, 32])
"""The numbers in `RESTING` that tell of the limbs of `LIMBS`: a foot rests where its ball does."""
_BEGIN = (LEFT_HIP, RIGHT_HIP, LEFT_COLLAR, RIGHT_COLLAR)
"""The joints that the limbs of `LIMBS` begin with."""
_MOST_EDITS, _LAST_FRAME = 20_000, 1 << 20
"""More than anybody makes by hand, and more than Blender's last frame."""
_SAME_FRAME = 1e-3


@dataclass(frozen=True)
class Edit:
    """What a limb does from one scene frame to another, both included. Raises BadJson when made of nonsense."""

    limb: str
    """One of `LIMBS`."""
    first: float
    last: float
    stands: bool
    """Whether it rests, or is free."""

    def __post_init__(self) -> None:
        if self.limb not in LIMBS or not -_LAST_FRAME <= self.first <= self.last <= _LAST_FRAME:
            raise BadJson("it is no contact")

    def covers(self, other: Edit) -> bool:
        """Whether nothing of another edit counts beside this one, if this one is the later."""
        return self.limb == other.limb and self.first <= other.first and other.last <= self.last


Edits = tuple[Edit, ...]
"""Where two of them contradict each other, the later one counts."""


@dataclass(frozen=True)
class Contact:
    """A limb that rests, or is free, from one scene frame to another, both included."""

    limb: str
    first: float
    last: float
    by_hand: bool
    """Whether somebody said so, for all of it or a part."""


def read(item: bpy.types.Object) -> Edits:
    """The edits of a person; what is none is left out."""
    try:
        listed = parse_json(tags.text(item, EDITS) or "[]")
    except BadJson:
        return ()
    found = (_edit(one) for one in listed[:_MOST_EDITS]) if isinstance(listed, list) else ()
    return tuple(one for one in found if one is not None)


def _edit(values: object) -> Edit | None:
    try:
        return build(Edit, values)
    except BadJson:
        return None


def write(item: bpy.types.Object, edits: Edits) -> None:
    """Keep other edits on a person's armature."""
    if edits:
        item[EDITS] = json.dumps([asdict(edit) for edit in edits])
    elif EDITS in item:
        del item[EDITS]


def limb_of_joint(name: str) -> str:
    """The limb of `LIMBS` that a joint is a part of; empty for one of the trunk or the head."""
    joint = JOINT_INDEX.get(name, PELVIS)
    while joint != PELVIS:
        if joint in _BEGIN:
            return LIMBS[_BEGIN.index(joint)]
        joint = PARENTS[joint]
    return ""


def in_seconds(edits: Edits, rate: float) -> ContactEdits:
    """The same for the engine; `rate` is in scene frames per second."""
    return tuple(ContactEdit(edit.limb, edit.first / rate, edit.last / rate, edit.stands) for edit in edits)


def keyed_frames(item: bpy.types.Object) -> np.ndarray:
    """(T,) scene frames of the keys that a person's contacts are told for."""
    raw = family.action(item, tags.RAW)
    curve = None if raw is None else keyframes.curves_in(raw, LOCATION).get((LOCATION, 0))
    return np.empty(0) if curve is None else keyframes.read(curve)[0].astype(np.float64)


def listed(item: bpy.types.Object) -> list[Contact]:
    """The contacts of a person, limb by limb in the order of time; before a clean-up those that were marked."""
    frames, edits = keyed_frames(item), read(item)
    rests = with_edits(_found(item, len(frames)), frames, LIMBS, in_seconds(edits, 1.0))
    return [
        Contact(limb, first, last, any(edit.stands and _meet(edit, limb, first, last) for edit in edits))
        for limb, first, last in _spans(frames, rests)
    ]


def freed(item: bpy.types.Object) -> list[Contact]:
    """When limbs of a person do not rest because somebody said so, in the same order."""
    frames = keyed_frames(item)
    rests = with_edits(np.ones((len(frames), len(LIMBS)), dtype=bool), frames, LIMBS, in_seconds(read(item), 1.0))
    return [Contact(*span, by_hand=True) for span in _spans(frames, ~rests)]


def _spans(frames: np.ndarray, holds: np.ndarray) -> Iterable[tuple[str, float, float]]:
    """Limb, first and last of (T,) frames where a (T, 4) condition holds."""
    for column, limb in enumerate(LIMBS):
        for run in runs(holds[:, column]):
            yield limb, float(frames[run.start]), float(frames[run.stop - 1])


def _found(item: bpy.types.Object, count: int) -> np.ndarray:
    """(T, 4) bool, which limbs rest by the clean Action; none do where that tells of other keys."""
    clean = family.action(item, tags.CLEAN)
    told = np.empty(0) if clean is None else tags.numbers(clean, RESTING).ravel()
    if len(told) != count:
        return np.zeros((count, len(LIMBS)), dtype=bool)
    return (told.clip(0, 63).astype(int)[:, None] & _OF_LIMBS) > 0


def resting(planted: np.ndarray, hands: np.ndarray) -> list[int]:
    """What `RESTING` is for (T, 4) points of the feet and (T, 2) hands, all bool."""
    numbers: list[int] = (np.concatenate([planted, hands], axis=1) @ (1, 2, 4, 8, 16, 32)).astype(int).tolist()
    return numbers


def said(edits: Edits, limb: str, first: float, last: float, stands: bool) -> Edits:
    """With one edit more, which counts more than those before."""
    made = Edit(limb, first, last, stands)
    return (*(edit for edit in edits if not made.covers(edit)), made)


def moved(edits: Edits, contact: Contact, first: float, last: float) -> Edits:
    """With a contact at other frames than it was."""
    return said(said(edits, contact.limb, contact.first, contact.last, False), contact.limb, first, last, True)


def forgotten(edits: Edits, limb: str, first: float, last: float) -> Edits:
    """Without the edits of a limb at these frames, and those that they meet, and so on."""
    while met := [edit for edit in edits if _meet(edit, limb, first, last)]:
        edits = tuple(edit for edit in edits if edit not in met)
        first, last = min(first, *(edit.first for edit in met)), max(last, *(edit.last for edit in met))
    return edits


def kept(edits: Edits, frames: np.ndarray, rows: np.ndarray) -> Edits:
    """What the edits say of those of (T,) frames where (T,) rows are true."""
    return tuple(part for edit in edits for part in _parts(edit, frames, rows))


def _parts(edit: Edit, frames: np.ndarray, rows: np.ndarray) -> Iterable[Edit]:
    wanted = rows & (frames >= edit.first - _SAME_FRAME) & (frames <= edit.last + _SAME_FRAME)
    for run in runs(wanted):
        first, last = frames[[run.start, run.stop - 1]].tolist()
        yield Edit(edit.limb, first, last, edit.stands)


def _meet(edit: Edit, limb: str, first: float, last: float) -> bool:
    return edit.limb == limb and edit.first <= last + _SAME_FRAME and edit.last >= first - _SAME_FRAME
