# SPDX-License-Identifier: GPL-3.0-or-later
"""The first people of a run come into every 3D view that the user has not moved since its start."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...engine.contract.skeleton import JOINT_NAMES, PELVIS
from ..blender import keyframes, views
from ..person import family
from ..person.motion import LOCATION

_BODY_M = 1.0
"""Radius of a ball around a pelvis that holds the body."""

State = tuple[float | str, ...]

_unmoved: dict[int, State] = {}
"""How 3D views that the user has not moved since the run began are turned, by the address of their area."""
_framed_at: Matrix | None = None
"""Where the take's root was when its people were framed; None before."""


def remember() -> None:
    """A run begins: remember how all 3D views are turned."""
    global _framed_at
    _unmoved.clear()
    _unmoved.update((area.as_pointer(), _state(area)) for area in views.areas())
    _framed_at = None


def follow(root: bpy.types.Object | None) -> None:
    """Frame the first people under a take's root, once they have keys, and again when the take was set on its floor.

    Cheap: to be called with every slice of a run. Views that the user has moved, or that look through a camera, stay.
    """
    global _framed_at
    if root is None or not _unmoved or root.matrix_basis == _framed_at:
        return
    people = [place for item in family.people_under(root) if (place := _first_place(root, item)) is not None]
    if not people:
        return
    _framed_at = root.matrix_basis.copy()
    middle, radius = ball(people, _BODY_M * root.matrix_basis.median_scale)
    for area in views.areas():
        if _unmoved.pop(area.as_pointer(), None) == (now := _state(area)) and "CAMERA" not in now:
            views.look_at(area, middle, radius)
            _unmoved[area.as_pointer()] = _state(area)


def ball(places: Sequence[Vector], margin: float) -> tuple[Vector, float]:
    """Middle and radius of a ball that holds all places, and so much around them; meters."""
    spots = np.array([tuple(place) for place in places])
    middle = (spots.min(axis=0) + spots.max(axis=0)) / 2
    return Vector(middle), float(np.linalg.norm(spots - middle, axis=1).max()) + margin


def _first_place(root: bpy.types.Object, item: bpy.types.Object) -> Vector | None:
    """Where a person's pelvis is in the first key, in the scene; None before there is one.

    From the keys, because Blender has evaluated nothing of what a slice of work has just made.
    """
    curves = keyframes.curves(item)
    places = [curve for axis in range(3) if (curve := curves.get((LOCATION, axis))) and len(curve.keyframe_points)]
    if len(places) < 3:
        return None
    moved = Vector([curve.keyframe_points[0].co.y for curve in places])
    return root.matrix_basis @ item.matrix_basis @ (item.data.bones[JOINT_NAMES[PELVIS]].head_local + moved)


def _state(area: bpy.types.Area) -> State:
    region = area.spaces.active.region_3d
    return (*region.view_location, *region.view_rotation, region.view_distance, region.view_perspective)
