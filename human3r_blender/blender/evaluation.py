# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender makes of a rig: poses after all constraints and drivers, without touching the user's scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...engine.contract.errors import UserError


class Evaluation:
    """Evaluates one object in a scene of its own, so that nothing else of the user's scene has to be computed."""

    def __init__(self, item: bpy.types.Object, scene: bpy.types.Scene) -> None:
        self._item, self._scene = item, scene

    def update(self) -> bpy.types.Object:
        """The evaluated object after what was changed on it since."""
        layer = self._scene.view_layers[0]
        layer.update()
        return self._item.evaluated_get(layer.depsgraph)

    def add(self, item: bpy.types.Object) -> None:
        """Evaluate another object, too."""
        self._scene.collection.objects.link(item)

    def seen(self, block: bpy.types.ID) -> bpy.types.ID:
        """A data-block as it was evaluated last."""
        return block.evaluated_get(self._scene.view_layers[0].depsgraph)

    def at(self, frame: float) -> bpy.types.Object:
        """The evaluated object at a scene frame, fractions included."""
        whole = int(np.floor(frame))
        self._scene.frame_set(whole, subframe=float(frame - whole))
        return self._item.evaluated_get(self._scene.view_layers[0].depsgraph)


@contextmanager
def evaluating(item: bpy.types.Object, like: bpy.types.Scene) -> Iterator[Evaluation]:
    """Evaluate an armature, hidden or not, at the frames and the frame rate of the scene `like`.

    Raises UserError (``armature-edited``, ``armature-at-rest``) while Blender shows none of its poses.
    """
    if item.mode == "EDIT":
        raise UserError(
            "armature-edited", "{name} is in Edit Mode.", "Leave Edit Mode, then try again.", name=item.name
        )
    if item.data.pose_position == "REST":
        raise UserError(
            "armature-at-rest",
            "{name} is shown in its rest position, without any pose.",
            "Choose Pose Position in its armature properties, then try again.",
            name=item.name,
        )
    hidden = item.hide_viewport
    scene = bpy.data.scenes.new("Human3R retargeting")
    try:
        item.hide_viewport = False  # Blender evaluates nothing that is
        scene.render.fps, scene.render.fps_base = like.render.fps, like.render.fps_base
        scene.frame_set(like.frame_current, subframe=like.frame_subframe)
        scene.collection.objects.link(item)
        yield Evaluation(item, scene)
    finally:
        item.hide_viewport = hidden
        bpy.data.scenes.remove(scene)


@contextmanager
def at_rest(item: bpy.types.Object, switches: Sequence[tuple[str, str, float]]) -> Iterator[None]:
    """The rig without its animation, every bone's own transform at rest, and some properties set.

    `switches` holds bone, property and value, as `set_property` takes them. Afterwards everything is as it was. Raises
    UserError (``character-in-tweak-mode``) while Blender lets no Action be assigned.
    """
    data = item.animation_data
    if data is not None and data.use_tweak_mode:
        raise UserError(
            "character-in-tweak-mode",
            "An NLA strip of {name} is in tweak mode, so no other Action can be assigned.",
            "Leave tweak mode (Tab in the Nonlinear Animation editor), then try again.",
            name=item.name,
        )
    before = {bone.name: bone.matrix_basis.copy() for bone in item.pose.bones}
    properties = [(bone, name, _property(item, bone, name)) for bone, name, _ in switches]
    animation = None if data is None else (data.action, getattr(data, "action_slot", None), data.use_nla)
    try:
        if data is not None:
            data.action, data.use_nla = None, False
        for bone in item.pose.bones:
            bone.matrix_basis = Matrix()
        for bone_name, name, value in switches:
            set_property(item, bone_name, name, value)
        yield
    finally:
        for bone_name, name, value in properties:
            set_property(item, bone_name, name, value)
        if data is not None and animation is not None:
            data.action = animation[0]
            if animation[1] is not None:
                data.action_slot = animation[1]
            data.use_nla = animation[2]
        for name, basis in before.items():
            item.pose.bones[name].matrix_basis = basis
        item.update_tag()


def property_path(name: str) -> str:
    """The path of a pose bone's property from the bone on: a custom one by its name, or a constraint's by its path."""
    return name if name.startswith("constraints[") else f'["{bpy.utils.escape_identifier(name)}"]'


def set_property(item: bpy.types.Object, bone: str, name: str, value: float) -> None:
    """Set a property of a pose bone (`property_path`) to a number, in the property's own type."""
    owner, key = _owner(item, bone, name)
    if key == name:
        owner[key] = type(owner[key])(value)
    else:
        setattr(owner, key, value)
    item.update_tag()  # custom properties do not tell the dependency graph themselves


def _property(item: bpy.types.Object, bone: str, name: str) -> float:
    owner, key = _owner(item, bone, name)
    return owner[key] if key == name else getattr(owner, key)


def _owner(item: bpy.types.Object, bone: str, name: str) -> tuple[Any, str]:
    """What has a property, and the property's name there: the bone itself has custom ones by their own name."""
    path, _, attribute = name.rpartition(".") if name.startswith("constraints[") else ("", "", name)
    owner = item.pose.bones[bone]
    return (owner.path_resolve(path), attribute) if path else (owner, name)


def bone_matrices(evaluated: bpy.types.Object, names: Sequence[str]) -> np.ndarray:
    """(B, 4, 4) pose matrices of bones in the armature's space."""
    return np.array([evaluated.pose.bones[name].matrix for name in names], dtype=np.float64).reshape(-1, 4, 4)


def world_matrix(evaluated: bpy.types.Object) -> np.ndarray:
    """(4, 4) of the evaluated object."""
    return np.array(evaluated.matrix_world, dtype=np.float64)
