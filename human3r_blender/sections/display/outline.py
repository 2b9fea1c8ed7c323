# SPDX-License-Identifier: GPL-3.0-or-later
"""An outline around whoever is selected: a person's armature is hidden in the body, so Blender's own is not seen.

The body is drawn in the theme's color of selected objects, moved aside by two pixels in four directions and a little
farther away, so that the body itself covers all of it but its edge. While the animation plays, there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector

from ...person import family
from . import changes
from .drawing import Drawing
from .view import in_depth

_WIDTH_PX = 1.8
_DIRECTIONS = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0))
_FARTHER = 6.0
"""How much farther away it is drawn, in widths: a surface that is seen at a slant covers what is moved along it."""

_drawn: dict[int, _Drawn] = {}
"""What is drawn of each body, by its session number."""


@dataclass(frozen=True)
class _Drawn:
    """A body as the graphics card has it."""

    revision: changes.Revision
    batch: Any
    middle: Vector
    """In the object's frame."""


def outlined(context: bpy.types.Context, view: bpy.types.SpaceView3D | None) -> list[tuple[bpy.types.Object, bool]]:
    """The bodies that a 3D view shows (any, for None) and whose armatures are selected; whether each is the active one.

    Blender itself outlines bodies that are selected.
    """
    if context.mode != "OBJECT" or (context.screen is not None and context.screen.is_animation_playing):
        return []
    found = []
    for item in context.selected_objects:
        body = family.mesh(item) if family.is_person(item) else None
        if body is not None and body.visible_get(viewport=view) and not body.select_get():
            found.append((body, item == context.view_layer.objects.active))
    return found


def draw() -> None:
    """Draw the outlines into the region that is being drawn: Blender calls it."""
    context = bpy.context
    view, seen_from = context.space_data, context.region_data
    overlay = view.overlay
    if seen_from is None or not (overlay.show_overlays and overlay.show_outline_selected):
        return
    bodies = outlined(context, view)
    if not bodies:
        return
    theme = context.preferences.themes[0].view_3d
    depsgraph = context.evaluated_depsgraph_get()
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    for body, is_active in bodies:
        color = (*(theme.object_active if is_active else theme.object_selected)[:3], 1.0)
        _draw_around(body, color, depsgraph, seen_from, context.region.height)
    gpu.state.depth_mask_set(False)
    gpu.state.depth_test_set("NONE")


def _draw_around(
    body: bpy.types.Object,
    color: tuple[float, ...],
    depsgraph: bpy.types.Depsgraph,
    seen_from: bpy.types.RegionView3D,
    height: int,
) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    drawn, place = _up_to_date(body, depsgraph), body.matrix_world
    distance = (seen_from.perspective_matrix @ place @ drawn.middle.to_4d()).w
    width = _WIDTH_PX * 2 * abs(distance) / (seen_from.window_matrix[1][1] * height)
    farther = in_depth(seen_from, -_FARTHER * width, distance)
    for right, up in _DIRECTIONS:
        aside = Matrix.Translation((width * right, width * up, 0.0))
        with gpu.matrix.push_pop():
            gpu.matrix.load_matrix(farther @ aside @ seen_from.view_matrix @ place)
            shader.bind()
            shader.uniform_float("color", color)
            drawn.batch.draw(shader)


def _up_to_date(body: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> _Drawn:
    """What is drawn of a body, made anew where it has moved."""
    now = changes.revision(body)
    drawn = _drawn.get(body.session_uid)
    if drawn is None or drawn.revision != now:
        places, corners = surface(body, depsgraph)
        shader = gpu.shader.from_builtin("UNIFORM_COLOR")
        batch = batch_for_shader(shader, "TRIS", {"pos": places}, indices=corners)
        drawn = _drawn[body.session_uid] = _Drawn(now, batch, Vector(places.mean(axis=0)))
    return drawn


def surface(body: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) float32 vertices of a body as it is posed, in its own frame, and (T, 3) int32 corners of its triangles."""
    mesh = body.evaluated_get(depsgraph).data
    places, corners = np.empty(3 * len(mesh.vertices), np.float32), np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.vertices.foreach_get("co", places)
    if not len(corners):
        mesh.calc_loop_triangles()
        corners = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    return places.reshape(-1, 3), corners.reshape(-1, 3)


def forget() -> None:
    """Free what the graphics card holds."""
    _drawn.clear()


_drawing = Drawing(draw, "POST_VIEW", forget)
HANDLERS, switch_on, switch_off = _drawing.handlers(), _drawing.switch_on, _drawing.switch_off
