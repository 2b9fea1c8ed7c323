# SPDX-License-Identifier: GPL-3.0-or-later
"""Names over heads: an overlay of the 3D views, drawn anew with each redraw from what the armatures are called.

Nothing of it is in the file. So names follow heads and renames by themselves, face every view, cost nothing at
playback but the drawing, and are left out of renders.
"""

from __future__ import annotations

from dataclasses import dataclass

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Color as DisplayColor

from ...person import family
from ...person.colors import Color
from .drawing import Drawing

HEAD_BONE = "head"
_ABOVE_M = 0.27
"""From the joint below the skull to where a name stands, towards the top of the view."""
_FONT, _SIZE = 0, 12.0
"""Blender's own font; points, before the interface's scale."""
_PADDING, _STRIPE = 5.0, 4.0
"""Pixels around a name, and of the stripe in the person's color, before the interface's scale."""
_GROUND = (0.05, 0.05, 0.05, 0.75)
_INK = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class NameTag:
    """A name in one view."""

    name: str
    head: tuple[float, float, float]
    """Where the head's joint is, meters, scene."""
    scale: float
    """Size of the person in the scene against the true one."""
    color: Color


def name_tags(context: bpy.types.Context, view: bpy.types.SpaceView3D | None) -> list[NameTag]:
    """The people who are seen in a 3D view (in any, for None) at the current frame."""
    depsgraph = context.evaluated_depsgraph_get()
    found = []
    for item in context.view_layer.objects:
        if not family.is_person(item) or not item.visible_get(viewport=view):
            continue
        posed = item.evaluated_get(depsgraph)
        bone = posed.pose.bones.get(HEAD_BONE)
        if bone is not None:
            place, scale = posed.matrix_world @ bone.head, posed.matrix_world.median_scale
            found.append(NameTag(item.name, tuple(place), scale, tuple(item.color)))
    return found


def places(labels: list[NameTag], perspective: np.ndarray, up: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """(N, 3) where the names stand: pixels from the lower left corner, and the distance, by which they are sorted.

    `perspective` (4, 4) takes scene positions to clip space, `up` (3,) is the view's upward direction in the scene,
    `size` the region's width and height in pixels. Names behind the view have NaN.
    """
    heads = np.array([label.head for label in labels], dtype=np.float64).reshape(-1, 3)
    scales = np.array([label.scale for label in labels], dtype=np.float64)
    above = heads + _ABOVE_M * scales[:, None] * up
    clip = np.c_[above, np.ones(len(above))] @ perspective.T
    distance = np.where(clip[:, 3] > 0, clip[:, 3], np.nan)
    return np.c_[(clip[:, :2] / distance[:, None] + 1) / 2 * size, distance]


def draw() -> None:
    """Draw the names into the region that is being drawn: Blender calls it."""
    context = bpy.context
    view, region = context.space_data, context.region
    if not context.scene.human3r_display.show_names or not view.overlay.show_overlays:
        return
    labels = name_tags(context, view)
    if not labels:
        return
    seen_from = context.region_data
    up = np.array(seen_from.view_matrix.inverted().col[1][:3])
    standing = places(labels, np.array(seen_from.perspective_matrix), up, (region.width, region.height))
    gpu.state.blend_set("ALPHA")
    for number in np.argsort(-standing[:, 2]):  # the nearest last and so on top
        if np.isfinite(standing[number]).all():
            x, y, _ = standing[number]
            _draw_tag(labels[number], x, y, context.preferences.system.ui_scale)
    gpu.state.blend_set("NONE")


def _draw_tag(label: NameTag, x: float, y: float, scale: float) -> None:
    blf.size(_FONT, _SIZE * scale)
    width = blf.dimensions(_FONT, label.name)[0]
    padding, stripe = _PADDING * scale, _STRIPE * scale
    left, right = x - width / 2 - padding - stripe, x + width / 2 + padding
    _draw_box(left, y, right, y + _SIZE * scale + padding, _GROUND)
    red, green, blue = DisplayColor(label.color[:3]).from_scene_linear_to_srgb()
    _draw_box(left, y, left + stripe, y + _SIZE * scale + padding, (red, green, blue, 1.0))
    blf.color(_FONT, *_INK)
    blf.position(_FONT, left + stripe + padding, y + padding, 0)
    blf.draw(_FONT, label.name)


def _draw_box(left: float, bottom: float, right: float, top: float, color: Color) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    corners = ((left, bottom), (right, bottom), (left, top), (right, top))
    shader.uniform_float("color", color)
    batch_for_shader(shader, "TRI_STRIP", {"pos": corners}).draw(shader)


def redraw() -> None:
    """Have the 3D views of all windows drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


_drawing = Drawing(draw, "POST_PIXEL")
switch_on, switch_off = _drawing.switch_on, _drawing.switch_off
