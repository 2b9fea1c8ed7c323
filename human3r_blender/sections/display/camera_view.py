# SPDX-License-Identifier: GPL-3.0-or-later
"""The footage played behind the people, as the camera saw them, and the way back to the view that was there before."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
from bpy.app.handlers import persistent
from mathutils import Quaternion, Vector

from ....engine.contract.errors import UserError
from ...blender import tags
from ...scene import camera
from .view import fit_camera

_kept: dict[int, _View] = {}
"""What a 3D view showed before, by the address of its area."""


_OVERLAYS = {
    "show_overlays": True,
    "show_bones": False,
    "show_relationship_lines": False,
    "show_floor": False,
    "show_axis_x": False,
    "show_axis_y": False,
    "show_cursor": False,
}
"""What of the overlays is shown meanwhile. The footage and the names are overlays themselves."""


@dataclass(frozen=True)
class _View:
    """A 3D view as it was, and what else was changed for it."""

    take_id: str
    perspective: str
    location: Vector
    rotation: Quaternion
    distance: float
    camera_zoom: float
    camera_offset: tuple[float, float]
    own_camera: str
    """Name of the camera that the view had for itself; empty where it showed the scene's."""
    shading: str
    overlays: tuple[bool, ...]
    """Those of `_OVERLAYS`."""
    background: bool
    """Whether the take's camera showed its footage."""
    hidden: tuple[tuple[str, bool], ...]
    """Whether the take's points and its backdrop were hidden, each after its role."""


def is_entered(area: bpy.types.Area) -> bool:
    """Whether the 3D view was brought to the camera and not back yet."""
    return area.as_pointer() in _kept


def enter(context: bpy.types.Context, area: bpy.types.Area, root: bpy.types.Object, hide_covering: bool) -> bool:
    """Show what a take's camera saw, with the footage behind it; `hide_covering` hides what would cover
    the footage. Returns whether there is footage to show.

    The scene's own camera stays. Raises UserError (``no-camera``).
    """
    view, region = area.spaces.active, area.spaces.active.region_3d
    item, covering = tags.find(root[tags.TAKE], tags.CAMERA), _covering(context, root[tags.TAKE])
    if item is None:
        raise UserError("no-camera", "This take has no camera in the scene.", "Import it again with Camera on.")
    _kept[area.as_pointer()] = _View(
        root[tags.TAKE],
        region.view_perspective,
        region.view_location.copy(),
        region.view_rotation.copy(),
        region.view_distance,
        region.view_camera_zoom,
        tuple(region.view_camera_offset),
        view.camera.name if view.use_local_camera and view.camera else "",
        view.shading.type,
        tuple(getattr(view.overlay, name) for name in _OVERLAYS),
        item.data.show_background_images,
        tuple((role, thing.hide_get()) for role, thing in covering.items()),
    )
    has_footage = bool(item.data.background_images) or camera.show_footage(
        item, tags.text(root, tags.SOURCE), (context.scene.render.resolution_x, context.scene.render.resolution_y)
    )
    item.data.show_background_images = True
    view.use_local_camera, view.camera = True, item
    region.view_perspective = "CAMERA"
    render = context.scene.render
    fit_camera(area, render.resolution_y * render.pixel_aspect_y / (render.resolution_x * render.pixel_aspect_x))
    for name, value in _OVERLAYS.items():
        setattr(view.overlay, name, value)
    if view.shading.type in ("WIREFRAME", "RENDERED"):  # which leave out bodies, or have the world before the footage
        view.shading.type = "SOLID"
    for thing in covering.values() if hide_covering else ():
        thing.hide_set(True)
    return has_footage


def leave(context: bpy.types.Context, area: bpy.types.Area) -> None:
    """Bring the 3D view back to what it showed before."""
    before = _kept.pop(area.as_pointer())
    view, region = area.spaces.active, area.spaces.active.region_3d
    view.camera = bpy.data.objects.get(before.own_camera) or context.scene.camera
    view.use_local_camera = before.own_camera in bpy.data.objects
    region.view_location, region.view_rotation = before.location, before.rotation
    region.view_distance = before.distance
    region.view_camera_zoom, region.view_camera_offset = before.camera_zoom, before.camera_offset
    region.view_perspective = before.perspective
    view.shading.type = before.shading
    for name, value in zip(_OVERLAYS, before.overlays, strict=True):
        setattr(view.overlay, name, value)
    item, covering = tags.find(before.take_id, tags.CAMERA), _covering(context, before.take_id)
    if item is not None:
        item.data.show_background_images = before.background
    for role, was_hidden in before.hidden:
        if role in covering:
            covering[role].hide_set(was_hidden)


def forget() -> None:
    """Forget what views showed before: they are about to be replaced, or the add-on is being switched off."""
    _kept.clear()


def _covering(context: bpy.types.Context, take_id: str) -> dict[str, bpy.types.Object]:
    """A take's points and its backdrop by their roles, where this view layer has them."""
    found = {role: tags.find(take_id, role) for role in (tags.POINTS, tags.BACKDROP)}
    here = context.view_layer.objects
    return {role: item for role, item in found.items() if item is not None and here.get(item.name) == item}


@persistent
def _forget_before_load(*_: object) -> None:
    forget()


HANDLERS = (("load_pre", _forget_before_load),)
switch_off = forget
