# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose body is outlined: that of a person whose armature is selected. The drawing itself needs a window."""

from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import outline
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display.view import in_depth
from mathutils import Vector

from .conftest import meshes


def outlined(view):
    return outline.outlined(bpy.context, view.spaces.active)


def test_the_bodies_of_selected_armatures_are_outlined(build, view, select):
    root = build(people=3).root
    first, second, _ = family.people_under(root)
    bodies = meshes(root)
    select()
    assert outlined(view) == []
    select(first, second)
    assert outlined(view) == [(bodies[0], True), (bodies[1], False)]
    select(bodies[0], second)  # Blender outlines the first itself
    assert outlined(view) == [(bodies[1], False)]
    select(root)
    assert outlined(view) == []


def test_not_who_is_hidden_or_posed(build, view, select):
    root = build(people=1).root
    (item,) = family.people_under(root)
    select(item)
    meshes(root)[0].hide_set(True)
    assert outlined(view) == []
    meshes(root)[0].hide_set(False)
    bpy.ops.object.mode_set(mode="POSE")
    assert outlined(view) == []
    bpy.ops.object.mode_set(mode="OBJECT")
    assert len(outlined(view)) == 1


def test_the_body_is_drawn_as_it_is_posed(build, scene, view):
    root = build(people=1, frames=6).root
    (body,) = meshes(root)
    for frame in (1, 5):
        scene.frame_set(frame)
        depsgraph = bpy.context.evaluated_depsgraph_get()
        places, corners = outline.surface(body, depsgraph)
        posed = body.evaluated_get(depsgraph).data
        np.testing.assert_allclose(places, [tuple(vertex.co) for vertex in posed.vertices], atol=1e-6)
        assert len(corners) == len(posed.polygons) and corners.max() == len(places) - 1
    assert np.ptp(places, axis=0).max() > 1.0


@pytest.mark.parametrize("perspective", ["PERSP", "ORTHO"])
def test_what_is_moved_in_depth_is_seen_where_it_was(perspective):
    seen_from = SimpleNamespace(is_perspective=perspective == "PERSP")
    place = Vector((1.0, -2.0, -5.0))  # in front of the view
    moved = in_depth(seen_from, 0.25, 5.0) @ place
    assert moved.z == pytest.approx(-4.75)
    if seen_from.is_perspective:
        assert (moved.x / moved.z, moved.y / moved.z) == pytest.approx((place.x / place.z, place.y / place.z))
    else:
        assert tuple(moved.xy) == tuple(place.xy)
    assert (in_depth(seen_from, -0.25, 5.0) @ place).z == pytest.approx(-5.25)
