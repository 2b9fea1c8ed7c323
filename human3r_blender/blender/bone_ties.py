# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bone hangs from, also where a rig holds it by a constraint instead of a parent."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

_HOLDING = ("ARMATURE", "CHILD_OF", "COPY_TRANSFORMS")
"""Constraints that hold a bone as a parent would."""


def line_up(item: bpy.types.Object, name: str) -> Iterator[str]:
    """The bones that a bone of an armature hangs from, the nearest first."""
    seen = {name}
    above = _held_by(item, name)
    while above and above not in seen:
        yield above
        seen.add(above)
        above = _held_by(item, above)


def _held_by(item: bpy.types.Object, name: str) -> str:
    """The bone that another one hangs from; empty without one."""
    bone = item.pose.bones[name]
    if bone.parent is not None:
        return str(bone.parent.name)
    for constraint in bone.constraints:
        targets = constraint.targets if constraint.type == "ARMATURE" else [constraint]
        held = [one.subtarget for one in targets if getattr(one, "target", None) == item and one.subtarget]
        if constraint.type in _HOLDING and held:
            return str(held[0])
    return ""
