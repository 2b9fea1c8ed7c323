# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge, split, swap and fill gaps, on the people of a scene; with the rules of `engine/take_editing`.

Rotations and expressions of keys are moved between people and never changed. What an edit would throw away, the Action
of somebody who is merged into another, stays in the file.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ....engine.contract.errors import UserError
from ....engine.motion.gaps import fill_gaps as fill_gaps_in_motion
from ...blender import keyframes, tags, turns
from ...blender.slices import Slices, sliceable, to_its_end
from ...person import blocks as person_blocks
from ...person import family, rows, versions
from ...person.rows import PersonKeys
from ...scene.people import Person
from ...scene.tracks import Track

_AT_ONCE = 0.01
"""Scene frames. A key this little before a frame is at it."""


@sliceable
def merge(into: bpy.types.Object, others: Sequence[bpy.types.Object], rate: float) -> Slices[None]:
    """Make several people one: `into`, who keeps name and number.

    In a frame that shows two of them the one named first counts. `rate` is the scene's frames per second. Raises
    UserError (``other-take`` and those of `rows.read`).
    """
    _refuse_other_takes([into, *others])
    body = yield from rows.body_of.in_slices(into)
    keys = yield from rows.read.in_slices(into, rate)
    for other in others:
        theirs = yield from rows.read.in_slices(other, rate)
        keys = yield from turns.result_of(turns.submit("human3r-merge", keys.with_rows, theirs))
    settings = next(filter(None, map(versions.settings_of, [into, *others])), None)
    for other in others:
        person_blocks.remove(other, f"merged into {into.name}")
    yield from to_its_end(rows.write.in_slices(into, keys, rate, body))
    if settings is not None and versions.settings_of(into) is None:
        yield from to_its_end(versions.clean.in_slices(into, rate, settings))


@sliceable
def split(item: bpy.types.Object, frame: float, rate: float) -> Slices[bpy.types.Object]:
    """Make a new person of all keys from a scene frame on; returns the new armature.

    Raises UserError (``nothing-to-split`` and those of `rows.read`).
    """
    body = yield from rows.body_of.in_slices(item)
    keys = yield from rows.read.in_slices(item, rate)
    late = keys.frames >= frame - _AT_ONCE
    if late.all() or not late.any():
        raise UserError(
            "nothing-to-split",
            "{name} has no keys on one side of frame {frame}.",
            "Go to a frame between the person's first and last key.",
            name=item.name,
            frame=f"{frame:g}",
        )
    track = Track(_next_number(item), betas=[np.median(keys.betas[late], axis=0).astype(np.float32)])
    person = Person(item[tags.TAKE], track)
    home = rows.root_of(item).users_collection[0]
    yield from to_its_end(person.create(rows.root_of(item), home, rows.mesh_of(item).data, body))
    made = person.armature()
    assert made is not None
    settings = versions.settings_of(item)
    yield from to_its_end(rows.write.in_slices(made, keys.part(late), rate, body))
    if settings is not None:
        yield from to_its_end(versions.clean.in_slices(made, rate, settings))
        if versions.shown(item) == tags.RAW:
            versions.show(made, tags.RAW)
    yield from to_its_end(rows.write.in_slices(item, keys.part(~late), rate, body))
    return made


@sliceable
def swap(first: bpy.types.Object, second: bpy.types.Object, frame: float, rate: float) -> Slices[None]:
    """Let two people change places from a scene frame on; names stay with what was before.

    Raises UserError (``other-take``, ``nothing-to-swap``, ``nobody-left`` and those of `rows.read`).
    """
    _refuse_other_takes([first, second])
    body = yield from rows.body_of.in_slices(first)
    ours = yield from rows.read.in_slices(first, rate)
    theirs = yield from rows.read.in_slices(second, rate)
    our_late, their_late = ours.frames >= frame - _AT_ONCE, theirs.frames >= frame - _AT_ONCE
    if not (our_late.any() or their_late.any()):
        raise UserError(
            "nothing-to-swap",
            "Neither {first} nor {second} has keys from frame {frame} on.",
            "Go to an earlier frame.",
            first=first.name,
            second=second.name,
            frame=f"{frame:g}",
        )
    parts = (ours.part(~our_late), theirs.part(their_late)), (theirs.part(~their_late), ours.part(our_late))
    swapped = {}
    for item, (early, late) in zip((first, second), parts, strict=True):
        swapped[item] = yield from turns.result_of(turns.submit("human3r-swap", early.with_rows, late))
    for item, keys in swapped.items():
        if not len(keys.frames):
            raise UserError(
                "nobody-left",
                "{name} would have no motion left.",
                "Merge {first} and {second} instead.",
                name=item.name,
                first=first.name,
                second=second.name,
            )
    for item, keys in swapped.items():
        yield from to_its_end(rows.write.in_slices(item, keys, rate, body))


@sliceable
def fill_gaps(item: bpy.types.Object, limit_s: float, rate: float) -> Slices[int]:
    """Give a person keys in the frames that missed the person, in gaps of at most `limit_s` seconds.

    Returns how many. Raises UserError as `rows.read` does.
    """
    body = yield from rows.body_of.in_slices(item)
    keys = yield from rows.read.in_slices(item, rate)
    pictures = rows.pictures(item)
    computing = turns.submit("human3r-gaps", fill_gaps_in_motion, keys.motion, limit_s, pictures / rate)
    motion = yield from turns.result_of(computing)
    new = ~np.isin(motion.time_s, keys.motion.time_s)
    if not new.any():
        return 0
    frames = pictures[np.isin(pictures / rate, motion.time_s[new])]
    # The new rows have the person's shape, which they so leave as it is.
    betas = np.tile(np.median(keys.betas, axis=0), (len(frames), 1))
    expressions = np.stack([np.interp(frames, keys.frames, values) for values in keys.expressions.T], axis=-1)
    kinds = np.full(len(frames), keyframes.LINEAR, dtype=np.uint8)
    both = np.concatenate([keys.frames, frames])
    order = np.argsort(both, kind="stable")
    filled = PersonKeys(
        both[order],
        motion,
        np.concatenate([keys.expressions, expressions])[order],
        np.concatenate([keys.betas, betas])[order],
        np.concatenate([keys.kinds, kinds])[order],
        keys.edits,
    )
    yield from to_its_end(rows.write.in_slices(item, filled, rate, body))
    return len(frames)


def _next_number(item: bpy.types.Object) -> int:
    """A track id that nobody of a person's take has or, as far as the root knows, had."""
    root = rows.root_of(item)
    numbers = [int(other[tags.TRACK]) for other in (item, *family.people_under(root))]
    root[tags.LAST_TRACK] = 1 + max(tags.whole(root, tags.LAST_TRACK, -1), *numbers)
    return int(root[tags.LAST_TRACK])


def _refuse_other_takes(items: Sequence[bpy.types.Object]) -> None:
    if len({item[tags.TAKE] for item in items}) > 1:
        raise UserError("other-take", "These people are from different takes.", "Select people from one take.")
