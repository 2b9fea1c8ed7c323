# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to a rig, along what Blender itself ties together: parents, modifiers, constraints and drivers.

Two ways lead from a rig. What is BOUND to it moves with it: children, meshes that it deforms, what its bones hold by a
constraint. And all of these NEED others to look as they do: groups above them, lattices, targets. What another rig
moves is somebody else, as are cameras and lights that only look at the character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import bpy

_ONLOOKERS = ("CAMERA", "LIGHT", "LIGHT_PROBE", "SPEAKER")
"""Types of objects that may follow a character without being a part of it."""
_MOST = 0.5
"""From this share of its bones on that another rig moves, an armature is a part of that rig."""

Needs = Mapping[bpy.types.Object, set[bpy.types.Object]]
"""By object, those that it cannot do without."""


def family(rig: bpy.types.Object, objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """The rig, what of some objects is bound to it, and what these need, the rig first.

    Shapes that bones are drawn as are left out: Blender shows them without being in any scene.
    """
    there = [item for item in objects if item != rig]
    needs = needs_of([rig, *there])
    found = bound(rig, there, needs)
    place = 0
    while place < len(found):
        found += [item for item in needs.get(found[place], ()) if item not in found]
        place += 1
    return found


def bound(rig: bpy.types.Object, objects: Iterable[bpy.types.Object], needs: Needs | None = None) -> list[Any]:
    """The rig and what of some objects moves with it, near or far, the rig first."""
    left = [item for item in objects if item != rig]
    needs = needs_of([rig, *left]) if needs is None else needs
    # of two armatures that make one character, the rig is also the one that moves the other
    found = [rig, *(item for item in left if item.type == "ARMATURE" and _is_moved_by(rig, {item}))]
    members, before = set(found), 0
    while before != len(found):
        before = len(found)
        for item in left:
            if item not in members and _is_bound(item, members, needs):
                found.append(item)
                members.add(item)
    return found


def needs_of(objects: Iterable[bpy.types.Object]) -> dict[bpy.types.Object, set[bpy.types.Object]]:
    """By object, the others that its place and its shape depend on."""
    there = list(objects)
    owners: dict[bpy.types.ID, set[bpy.types.Object]] = {}
    for item in there:
        for block in _animated(item):
            owners.setdefault(block, set()).add(item)
    return {item: {other for other in _needed(item, owners) if other != item} for item in there}


def skinned_by(item: bpy.types.Object) -> list[bpy.types.Object]:
    """The armatures that deform an object."""
    rigs = [modifier.object for modifier in item.modifiers if modifier.type == "ARMATURE" and modifier.object]
    if item.parent is not None and item.parent_type == "ARMATURE":
        rigs.append(item.parent)
    return rigs


def _is_bound(item: bpy.types.Object, members: set[bpy.types.Object], needs: Needs) -> bool:
    if item.parent in members:
        return True
    if item.type in _ONLOOKERS:
        return False
    if item.type == "ARMATURE":
        return _is_moved_by(item, members)
    rigs = skinned_by(item)
    if rigs:
        return not members.isdisjoint(rigs)
    return not members.isdisjoint(needs[item])


def _is_moved_by(item: bpy.types.Object, members: set[bpy.types.Object]) -> bool:
    """Whether an armature as a whole, or most of its bones, are held by constraints to some objects."""
    if any(not members.isdisjoint(_objects_of(constraint)) for constraint in item.constraints):
        return True
    bones = item.pose.bones
    held = {
        bone.name
        for bone in bones
        if any(not members.isdisjoint(_objects_of(constraint)) for constraint in bone.constraints)
    }
    moved = sum(any(one.name in held for one in (bone, *bone.parent_recursive)) for bone in bones)
    return moved >= _MOST * max(len(bones), 1)


def _needed(item: bpy.types.Object, owners: Mapping[bpy.types.ID, set[bpy.types.Object]]) -> Iterator[bpy.types.Object]:
    if item.parent is not None:
        yield item.parent
    if item.data is not None:
        yield from _objects_of(item.data)
    for modifier in item.modifiers:
        yield from _objects_of(modifier)
        if modifier.type == "NODES":
            yield from _objects_of_nodes(modifier)
    for holder in (item, *(item.pose.bones if item.pose is not None else ())):
        for constraint in holder.constraints:
            yield from _objects_of(constraint)
    for block in _animated(item):
        for target in _driving(block):
            if isinstance(target, bpy.types.Object):
                yield target
            else:
                yield from owners.get(target, ())


def _objects_of(struct: bpy.types.bpy_struct) -> Iterator[bpy.types.Object]:
    """The objects that a modifier, a constraint or an object's data points to, those of collections among them."""
    for item in struct.bl_rna.properties:
        if item.type == "POINTER" and item.fixed_type.identifier in ("Object", "Collection"):
            yield from _meant(getattr(struct, item.identifier))
    if isinstance(struct, bpy.types.ArmatureConstraint):
        for target in struct.targets:
            yield from _meant(target.target)


def _objects_of_nodes(modifier: bpy.types.Modifier) -> Iterator[bpy.types.Object]:
    for key in modifier.keys():  # noqa: SIM118  it is no mapping to walk through
        yield from _meant(modifier[key])
    for node in modifier.node_group.nodes if modifier.node_group is not None else ():
        for socket in node.inputs:
            if socket.type in ("OBJECT", "COLLECTION"):
                yield from _meant(socket.default_value)


def _meant(value: object) -> Iterator[bpy.types.Object]:
    if isinstance(value, bpy.types.Object):
        yield value
    elif isinstance(value, bpy.types.Collection):
        yield from value.all_objects


def _animated(item: bpy.types.Object) -> list[bpy.types.ID]:
    """What of an object may have drivers, or be what drivers read."""
    return [block for block in (item, item.data, getattr(item.data, "shape_keys", None)) if block is not None]


def _driving(block: bpy.types.ID) -> Iterator[bpy.types.ID]:
    """What the drivers of a data-block read."""
    for curve in block.animation_data.drivers if block.animation_data is not None else ():
        for variable in curve.driver.variables:
            yield from (target.id for target in variable.targets if target.id is not None)
