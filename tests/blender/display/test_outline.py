# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose body is outlined: that of a person whose armature is selected. The drawing itself needs a window."""

import bpy
import numpy as np
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import outline

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
