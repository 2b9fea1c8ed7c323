# SPDX-License-Identifier: GPL-3.0-or-later
"""What hangs from what in a skeleton, by each bone's parent; a bone without one has an empty parent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import bpy


def parents_of(item: bpy.types.Object) -> dict[str, str]:
    """Each bone of an armature's object with its parent."""
    return {bone.name: bone.parent.name if bone.parent else "" for bone in item.data.bones}


def line_up(bone: str, parents: Mapping[str, str]) -> list[str]:
    """A bone and what it hangs from, up to the top; empty for a bone that there is not."""
    line = []
    while bone and bone in parents:
        line.append(bone)
        bone = parents[bone]
    return line


def carries(upper: str, lower: str, parents: Mapping[str, str]) -> bool:
    """Whether a bone hangs from another, or is it."""
    return upper in line_up(lower, parents)


def lowest_common(bones: Iterable[str], parents: Mapping[str, str]) -> str:
    """The lowest bone that carries all of some, itself one of them perhaps; empty where none does."""
    lines = [line_up(bone, parents) for bone in bones]
    if not lines:
        return ""
    return next((bone for bone in lines[0] if all(bone in line for line in lines)), "")


def between(upper: str, lower: str, parents: Mapping[str, str]) -> list[str]:
    """The bones from one down to another, both left out; empty where the one does not carry the other."""
    line = line_up(lower, parents)
    return line[1 : line.index(upper)][::-1] if upper in line else []


def counts_below(parents: Mapping[str, str]) -> dict[str, int]:
    """By bone, how many hang from it."""
    counts = dict.fromkeys(parents, 0)
    for bone in parents:
        for above in line_up(bone, parents)[1:]:
            counts[above] += 1
    return counts
