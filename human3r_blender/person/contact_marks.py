# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks under what rests: a ring on the floor below the ball of each foot, seen in the viewport while that stands, and
one under the palm of a hand that was marked.

A ring lies still as long as its foot is planted, so that a foot which slides can be seen to leave it. The rings are
objects of their own, whose visibility has keys, in a collection of their own, which is hidden until somebody wants to
see them. They are never rendered.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from ...engine.contract.skeleton import JOINT_INDEX, LEFT_FOOT, LEFT_WRIST, RIGHT_FOOT, RIGHT_WRIST
from ..blender import keyframes, tags
from . import family
from .motion import LOCATION

_LIMBS = ("left", "right", "left hand", "right hand")
_FEET = 2
"""So many of them are feet, which always have a mark."""
_BETWEEN = (
    (LEFT_FOOT, LEFT_FOOT),
    (RIGHT_FOOT, RIGHT_FOOT),
    (LEFT_WRIST, JOINT_INDEX["left_middle1"]),
    (RIGHT_WRIST, JOINT_INDEX["right_middle1"]),
)
"""The joints that marks lie below the middle of: the ball of the foot, the palm between the wrist and the knuckles."""
_RADIUS_M, _THICKNESS_M, _CORNERS = 0.09, 0.005, 32
_BELOW_M = (0.03, 0.03, 0.02, 0.02)
"""From there down to the sole, and to the skin of the palm."""
_COLOR = (1.0, 0.25, 0.05, 1.0)
_PLACE, _VISIBILITY = "location", "hide_viewport"


@dataclass(frozen=True)
class Contacts:
    """When and where a person's feet and hands rest, in the body frame: N of `_LIMBS`."""

    frames: np.ndarray
    """(T,) scene frames."""
    planted: np.ndarray
    """(T, N) bool"""
    places: np.ndarray
    """(T, N, 3) where their middles are, as of `places`, meters."""
    up: np.ndarray
    """(3,) unit vector away from the floor."""
    stretches: tuple[slice, ...]
    """Rows without gaps between them."""


def places(joints: np.ndarray) -> np.ndarray:
    """(T, 4, 3) the middles of balls and palms, of (T, 55, 3) joints."""
    found: np.ndarray = joints[:, np.array(_BETWEEN)].mean(axis=2)
    return found


def make(item: bpy.types.Object, action: bpy.types.Action, contacts: Contacts) -> None:
    """Mark contacts on a person's armature, in place of the marks it has and shown as these; the first are hidden.

    `action` is the person's clean one: where Blender has slots the keys go into it.
    """
    was_hidden = remove(item)
    if not item.users_collection:
        return
    home = bpy.data.collections.new(f"{item.name} contacts")
    tags.mark(home, item[tags.TAKE], tags.CONTACTS, item[tags.TRACK])
    home.hide_viewport = was_hidden
    item.users_collection[0].children.link(home)
    ring = _ring()
    away = keyframes.curves_in(action, LOCATION).get((_VISIBILITY, 0))
    for column, limb in enumerate(_LIMBS):
        if column >= _FEET and not contacts.planted[:, column].any():
            continue
        at, stands, lies = changes(contacts, column, None if away is None else keyframes.read(away))
        mark = bpy.data.objects.new(f"{item.name} {limb} contact", ring)
        tags.mark(mark, item[tags.TAKE], tags.CONTACTS, item[tags.TRACK])
        mark.parent, mark.rotation_mode = item, "QUATERNION"
        mark.rotation_quaternion = Vector((0.0, 1.0, 0.0)).rotation_difference(Vector(contacts.up))
        mark.color, mark.hide_render, mark.hide_select, mark.show_in_front = _COLOR, True, True, True
        home.objects.link(mark)
        keyframes.animate(mark, action.name, f"{limb} contact", share=action)
        kinds = np.full(len(at), keyframes.CONSTANT, dtype=np.uint8)
        for path, values in ((_VISIBILITY, 1.0 - stands[:, None]), (_PLACE, lies)):
            for curve, part in zip(keyframes.add_curves(mark, path, values.shape[1]), values.T, strict=True):
                keyframes.replace(curve, at, part, kinds)


def remove(item: bpy.types.Object) -> bool:
    """Remove a person's marks; whether they were hidden, as marks are that there have never been."""
    home = family.marks(item)
    if home is None:
        return True
    was_hidden = home.hide_viewport
    actions = {mark.animation_data.action for mark in home.objects if mark.animation_data is not None}
    rings = {mark.data for mark in home.objects}
    bpy.data.batch_remove([*home.objects, home])
    unused = [action for action in actions if action is not None and tags.ROLE not in action and not action.users]
    bpy.data.batch_remove([*unused, *(ring for ring in rings if not ring.users)])
    return was_hidden


def changes(
    contacts: Contacts, column: int, away: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When one limb's mark changes: (N,) scene frames, the first one included; (N,) whether it stands from there on, as
    numbers; and (N, 3) where the mark then lies.

    `away` are the keys, frames and values, of whether the person is hidden; None for one who always is there.
    """
    hidden_at, hidden = (np.empty(0), np.zeros(1)) if away is None else away
    at = np.union1d(contacts.frames, hidden_at.astype(np.float64))
    row = (np.searchsorted(contacts.frames, at, side="right") - 1).clip(min=0)
    is_away = hidden[(np.searchsorted(hidden_at, at, side="right") - 1).clip(min=0)] > 0.5
    stands = contacts.planted[row, column] & ~is_away
    stretch = np.searchsorted([part.start for part in contacts.stretches], row, side="right")
    starts = np.flatnonzero(np.diff(stands, prepend=not stands[0]) | (stands & (np.diff(stretch, prepend=-1) != 0)))
    lies = np.stack(
        [
            np.median(contacts.places[row[first:last], column], axis=0)
            for first, last in zip(starts, [*starts[1:], len(at)], strict=True)
        ]
    )
    return at[starts], stands[starts].astype(np.float64), lies - _BELOW_M[column] * contacts.up


def _ring() -> bpy.types.Mesh:
    """A thin flat ring that faces along y."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    circle = np.stack([np.sin(angles), np.zeros(_CORNERS), np.cos(angles)], axis=-1)
    corners = np.concatenate([_RADIUS_M * circle, (_RADIUS_M - _THICKNESS_M) * circle])
    after = [*range(1, _CORNERS), 0]
    faces = [(one, other, other + _CORNERS, one + _CORNERS) for one, other in enumerate(after)]
    mesh = bpy.data.meshes.new("Contact")
    mesh.from_pydata(corners.tolist(), [], faces)
    material = bpy.data.materials.get("Human3R contact") or bpy.data.materials.new("Human3R contact")
    material.diffuse_color = _COLOR
    mesh.materials.append(material)
    return mesh
