# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks under planted feet: a disc below the ball of each foot, seen in the viewport while the foot stands.

They are objects of their own, in a collection of their own, whose visibility has keys: whoever wants to be rid of them
hides or deletes the collection. They are never rendered.
"""

from __future__ import annotations

import bpy
import numpy as np

from ...engine.contract.skeleton import JOINT_NAMES, LEFT_FOOT, RIGHT_FOOT
from . import keyframes, tags

_BALLS = {"left": (LEFT_FOOT, 2), "right": (RIGHT_FOOT, 3)}
"""The joint that a mark hangs from, and its column among the contacts."""
_RADIUS_M, _CORNERS = 0.09, 24
_BELOW_M = 0.03
"""From the joint in the ball of the foot down to the sole."""
_COLOR = (1.0, 0.25, 0.05, 1.0)
_VISIBILITY = "hide_viewport"


def make(item: bpy.types.Object, action: bpy.types.Action, frames: np.ndarray, planted: np.ndarray) -> None:
    """Mark (T, 4) contacts at (T,) scene frames on a person's armature, in place of the marks it has.

    Where Blender has slots the keys go into `action`, the person's clean one.
    """
    was_hidden = remove(item)
    if not item.users_collection:
        return
    home = bpy.data.collections.new(f"{item.name} contacts")
    tags.mark(home, item[tags.TAKE], tags.CONTACTS, item[tags.TRACK])
    home.hide_viewport = was_hidden
    item.users_collection[0].children.link(home)
    disc = _disc()
    for side, (joint, column) in _BALLS.items():
        mark = bpy.data.objects.new(f"{item.name} {side} contact", disc)
        tags.mark(mark, item[tags.TAKE], tags.CONTACTS, item[tags.TRACK])
        mark.parent, mark.parent_type, mark.parent_bone = item, "BONE", JOINT_NAMES[joint]
        # Blender hangs children from a bone's tail, which is above the head at rest.
        mark.location.y = -_BELOW_M - item.data.bones[JOINT_NAMES[joint]].length
        mark.color, mark.hide_render, mark.hide_select, mark.show_in_front = _COLOR, True, True, True
        home.objects.link(mark)
        keyframes.animate(mark, action.name, f"{side} contact", share=action)
        at, stands = changes(frames, planted[:, column])
        kinds = np.full(len(at), keyframes.CONSTANT, dtype=np.uint8)
        keyframes.append(keyframes.add_curves(mark, _VISIBILITY, 1)[0], at, 1.0 - stands, kinds)


def remove(item: bpy.types.Object) -> bool:
    """Remove a person's marks; whether they were hidden."""
    home = collection(item)
    if home is None:
        return False
    was_hidden = home.hide_viewport
    actions = {mark.animation_data.action for mark in home.objects if mark.animation_data is not None}
    discs = {mark.data for mark in home.objects}
    bpy.data.batch_remove([*home.objects, home])
    unused = [action for action in actions if action is not None and tags.ROLE not in action and not action.users]
    bpy.data.batch_remove([*unused, *(disc for disc in discs if not disc.users)])
    return was_hidden


def collection(item: bpy.types.Object) -> bpy.types.Collection | None:
    """What a person's marks are in; None without any."""
    return next((home for home in bpy.data.collections if home.get(tags.ROLE) == tags.CONTACTS
                 and home.get(tags.TAKE) == item.get(tags.TAKE) and home.get(tags.TRACK) == item.get(tags.TRACK)), None)


def changes(frames: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where (T,) states change, the first one included: their frames, and the states from there on as numbers."""
    rows = np.flatnonzero(np.concatenate([[True], states[1:] != states[:-1]]))
    return np.asarray(frames, dtype=np.float64)[rows], states[rows].astype(np.float64)


def _disc() -> bpy.types.Mesh:
    """A flat disc that faces along y, as soles do at rest."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    corners = _RADIUS_M * np.stack([np.sin(angles), np.zeros(_CORNERS), np.cos(angles)], axis=-1)
    mesh = bpy.data.meshes.new("Contact")
    mesh.from_pydata(corners.tolist(), [], [tuple(range(_CORNERS))])
    material = bpy.data.materials.get("Human3R contact") or bpy.data.materials.new("Human3R contact")
    material.diffuse_color = _COLOR
    mesh.materials.append(material)
    return mesh
