# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's data-blocks as one thing: named together, hidden together, removed together.

A person is called what the armature object is called; everything else that bears the name follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import bpy

from ...engine.contract.errors import UserError
from ...engine.contract.person_names import checked_name
from ..blender import tags
from . import bone_shapes, contact_marks, copies, family

_NUMBER = re.compile(r"\.\d{3,}$")
"""What Blender adds to names that are taken."""


def rename(item: bpy.types.Object, name: str) -> str:
    """Give a person a name, and everything that bears it: the one way to do so. Returns the name it got.

    That ends in a number (`.001`) where another object has the name already. Raises UserError (``bad-name``).
    """
    before, wanted = _NUMBER.sub("", item.name), checked_name(name)
    copies.own_blocks(item)
    home = copies.own_collection(item)
    item.name = wanted
    body, marks = family.mesh(item), family.marks(item)
    bearers: list[bpy.types.ID] = [item.data, *family.actions(item).values(), *_part_actions(_of_body(body))]
    bearers += [home] if home is not None else []
    if body is not None:
        materials = [slot.material for slot in body.material_slots if slot.material is not None]
        bearers += [body, body.data, *(material for material in materials if material.users == 1)]
    if marks is not None:
        bearers += [marks, *marks.objects, *_part_actions(marks.objects)]
    for bearer in bearers:
        if bearer.name.startswith(before):  # a name that the user gave to a part stays
            bearer.name = item.name + _NUMBER.sub("", bearer.name.removeprefix(before))
    return str(item.name)


def is_hidden(item: bpy.types.Object) -> bool:
    """Whether a person was hidden as a whole."""
    home = family.collection(item)
    return home is not None and home.hide_viewport


def set_hidden(item: bpy.types.Object, hidden: bool) -> None:
    """Hide a person in the viewport and in renders, or show the person again.

    It is the collection that is hidden: the objects' own visibility has keys. Raises UserError (``no-collection``).
    """
    home = copies.own_collection(item)
    if home is None:
        raise UserError(
            "no-collection",
            "{name} no longer has a collection of its own.",
            "Hide its objects in the Outliner.",
            name=item.name,
        )
    home.hide_viewport = home.hide_render = hidden


def remove(item: bpy.types.Object, why: str) -> None:
    """Remove a person from the file. The raw Action stays in it, with a fake user, called `NAME (why)`.

    What the user has put into the person's collection stays in the scene.
    """
    copies.own_blocks(item)
    body, home = family.mesh(item), copies.own_collection(item)
    parts = _part_actions(_of_body(body))
    contact_marks.remove(item)
    for role, action in family.actions(item).items():
        if role == tags.RAW:
            action[tags.ROLE], action.name, action.use_fake_user = tags.FORMER, f"{item.name} ({why})", True
        else:
            bpy.data.actions.remove(action)
    for action in parts:
        action.use_fake_user = True
    objects = [item] if body is None else [item, body]
    data = [own.data for own in objects]
    materials = [] if body is None else [slot.material for slot in body.material_slots if slot.material is not None]
    bpy.data.batch_remove(objects)
    for blocks in (data, materials):  # materials are free once the meshes are gone
        bpy.data.batch_remove([block for block in blocks if not block.users])
    bone_shapes.remove_unused()
    if home is not None:
        for other in [*home.objects]:
            for above in _above(home):
                above.objects.link(other)
        bpy.data.collections.remove(home)


def _of_body(body: bpy.types.Object | None) -> list[bpy.types.ID]:
    """What is animated of a person's mesh."""
    return [] if body is None else [block for block in (body, body.data.shape_keys) if block is not None]


def _part_actions(blocks: Iterable[bpy.types.ID]) -> list[bpy.types.Action]:
    """The Actions that some parts of a person have for themselves, without tags: where Actions have no slots."""
    found = [block.animation_data.action for block in blocks if block.animation_data is not None]
    return [action for action in found if action is not None and tags.ROLE not in action]


def _above(home: bpy.types.Collection) -> list[bpy.types.Collection]:
    tops = [scene.collection for scene in bpy.data.scenes]
    return [other for top in tops for other in (top, *top.children_recursive) if home.name in other.children]
