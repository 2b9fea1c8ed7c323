# SPDX-License-Identifier: GPL-3.0-or-later
"""How people lie on the footage can be seen: bodies are seen through in Solid view, and show their edges."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.person import colors

from .conftest import meshes


def alphas(mesh):
    return mesh.color[3], mesh.active_material.diffuse_color[3]


def test_bodies_are_seen_through_in_every_color_of_solid_view(build, scene):
    bodies = meshes(build(people=2).root)
    assert scene.human3r_display.body_opacity == 1.0
    before = [tuple(mesh.color[:3]) for mesh in bodies]
    scene.human3r_display.body_opacity = 0.3
    assert scene.human3r_display.body_opacity == pytest.approx(0.3)
    np.testing.assert_allclose([alphas(mesh) for mesh in bodies], 0.3)
    assert [tuple(mesh.color[:3]) for mesh in bodies] == before
    shader = next(node for node in bodies[0].active_material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Alpha"].default_value == 1.0  # renders stay


def test_a_body_that_is_seen_through_keeps_its_color_to_itself(build, scene, select):
    """Colors are dealt out by hue alone, and dealing them out again leaves bodies as opaque as they are."""
    first = build(people=2)
    scene.human3r_display.body_opacity = 0.4
    (third,) = meshes(build(people=1, seed=3).root)
    taken = {tuple(mesh.color[:3]) for mesh in meshes(first.root)}
    assert tuple(third.color[:3]) not in taken
    assert bpy.ops.human3r.color_people() == {"FINISHED"}
    np.testing.assert_allclose([alphas(mesh) for mesh in meshes(first.root)], 0.4)
    assert len({tuple(mesh.color[:3]) for mesh in colors.bodies(scene)}) == 3


def test_the_edges_of_bodies_are_shown(build, scene):
    bodies = meshes(build(people=2).root)
    assert not scene.human3r_display.wireframe
    scene.human3r_display.wireframe = True
    assert scene.human3r_display.wireframe and all(mesh.show_wire and mesh.show_all_edges for mesh in bodies)
    scene.human3r_display.wireframe = False
    assert not any(mesh.show_wire for mesh in bodies)


def test_a_scene_without_people_has_nothing_to_see_through(scene):
    assert scene.human3r_display.body_opacity == 1.0 and not scene.human3r_display.wireframe
    scene.human3r_display.body_opacity = 0.5
    assert scene.human3r_display.body_opacity == 1.0
