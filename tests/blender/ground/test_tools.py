# SPDX-License-Identifier: GPL-3.0-or-later
"""Floor, heading and scale by hand: they move the root alone, and can be undone."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.scene import ground_alignment
from mathutils import Matrix


@pytest.fixture
def made(build, synthetic, scene):
    """A take in the scene, with its camera active."""
    builder = build(synthetic(frames=8, people=1))
    for item in scene.objects:
        item.select_set(False)
    bpy.context.view_layer.objects.active = builder.camera
    bpy.context.view_layer.update()
    return builder


def marks(scene, places):
    """Selected empties at places in the scene."""
    for place in places:
        empty = bpy.data.objects.new("mark", None)
        empty.location = place
        scene.collection.objects.link(empty)
        empty.select_set(True)
    bpy.context.view_layer.update()


def moved_by(made, run):
    """(4, 4) what a tool moves the take by, in the scene's axes."""
    before = made.root.matrix_world.copy()
    assert run() == {"FINISHED"}
    bpy.context.view_layer.update()
    return np.array(made.root.matrix_world @ before.inverted())


def test_the_cursor_tells_how_high_the_floor_is(scene, made):
    scene.cursor.location = (2.0, 3.0, -1.25)
    change = moved_by(made, bpy.ops.human3r.floor_from_cursor)
    np.testing.assert_allclose(change, np.array(Matrix.Translation((0, 0, 1.25))), atol=1e-6)


@pytest.mark.parametrize("slope", [(0.0, 0.0), (0.3, -0.2)])
def test_three_places_tell_its_slope(scene, made, slope):
    places = [(x, y, 0.7 + slope[0] * x + slope[1] * y) for x, y in ((0, 0), (2, 0), (0, 3), (2, 2))]
    marks(scene, places)
    change = moved_by(made, bpy.ops.human3r.floor_from_selection)
    after = np.c_[places, np.ones(4)] @ change.T
    np.testing.assert_allclose(after[:, 2], 0, atol=1e-6)
    assert change[2, 2] > 0.9


def test_selected_points_of_the_place_count_in_edit_mode(scene, made):
    points = tags.find(made.root[tags.TAKE], tags.POINTS)
    if points.type != "MESH":
        pytest.skip("this Blender's points are a point cloud")
    bpy.context.view_layer.objects.active = points
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="DESELECT")
    bpy.ops.object.mode_set(mode="OBJECT")
    points.data.vertices[5].select = True
    height = (points.matrix_world @ points.data.vertices[5].co).z
    bpy.ops.object.mode_set(mode="EDIT")
    change = moved_by(made, bpy.ops.human3r.floor_from_selection)
    bpy.ops.object.mode_set(mode="OBJECT")
    assert change[2, 3] == pytest.approx(-height, abs=1e-5)


def test_the_camera_looks_along_y_afterwards(scene, made):
    scene.frame_set(5)
    made.root.rotation_euler = (0.0, 0.0, 2.0)
    bpy.context.view_layer.update()
    where = np.array(made.camera.matrix_world.translation)
    moved_by(made, bpy.ops.human3r.face_camera)
    view = -np.array(made.camera.matrix_world)[:3, 2]
    assert abs(view[0]) < 1e-5 and view[1] > 0
    np.testing.assert_allclose(made.camera.matrix_world.translation, where, atol=1e-5)


def test_a_known_length_sets_the_scale(scene, made):
    marks(scene, [(1, 0, 0), (1, 2, 0)])
    change = moved_by(made, lambda: bpy.ops.human3r.set_scale(length=3.0))
    np.testing.assert_allclose(change, np.diag([1.5, 1.5, 1.5, 1.0]), atol=1e-6)


@pytest.mark.parametrize(("tool", "places"), [
    ("floor_from_selection", []), ("floor_from_selection", [(0, 0, 0), (1, 0, 0), (2, 0, 0)]),
    ("set_scale", [(0, 0, 0)]), ("set_scale", [(1, 1, 1), (1, 1, 1)]), ("found_ground", []),
])  # fmt: skip
def test_what_cannot_be_done_is_said_and_nothing_moves(scene, made, tool, places):
    marks(scene, places)
    before = np.array(made.root.matrix_world)
    with pytest.raises(RuntimeError, match=r"\w+\. \w+"):
        getattr(bpy.ops.human3r, tool)()
    assert np.array_equal(np.array(made.root.matrix_world), before)


def test_the_found_floor_comes_back(scene, build, synthetic):
    made = build(synthetic(frames=12, people=1), ground="auto")
    bpy.context.view_layer.objects.active = made.camera
    found = np.array(made.root.matrix_basis)
    assert ground_alignment.ESTIMATE in made.root
    made.root.location.z += 2
    assert bpy.ops.human3r.found_ground() == {"FINISHED"}
    np.testing.assert_allclose(np.array(made.root.matrix_basis), found, atol=1e-6)


def test_without_a_take_the_tools_are_off(scene):
    assert not bpy.ops.human3r.face_camera.poll()
