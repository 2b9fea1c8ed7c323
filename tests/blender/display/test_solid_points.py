# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn of scene points in Solid view: those that the object shows, in their colors, made anew when they
change. The drawing itself needs a window: tests/window/drive_display.py."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.scene import point_cloud
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import changes, solid_points


def cloud_of(made):
    return tags.find(made.root[tags.TAKE], tags.POINTS)


def shown(item):
    return solid_points.shown_points(item, bpy.context.evaluated_depsgraph_get())


def set_input(item, name, value):
    tree = item.modifiers[0].node_group
    socket = tree.interface.items_tree[name]
    item.modifiers[0][socket.identifier] = value
    item.update_tag(refresh={"DATA"})
    bpy.context.view_layer.update()


def in_order(rows):
    return rows[np.lexsort(rows[:, :3].T)]


def test_the_points_that_are_shown_with_their_colors_and_their_size(build):
    made = build(people=1, points=200)
    item = cloud_of(made)
    found = shown(item)
    position, color, confidence = point_cloud.read(item.data)
    sure = confidence >= made.header.settings.point_confidence
    position, color = position[sure], color[sure]
    drawn, kept = in_order(np.c_[found.position, found.color[:, :3]]), in_order(np.c_[position, color / 255.0])
    np.testing.assert_allclose(drawn, kept, atol=1e-4)
    tree = item.modifiers[0].node_group
    assert found.radius == pytest.approx(tree.interface.items_tree[point_cloud.RADIUS].default_value)


def test_points_that_the_modifier_leaves_out_are_left_out(build):
    item = cloud_of(build(people=1, points=200))
    _, _, confidence = point_cloud.read(item.data)
    set_input(item, point_cloud.MINIMUM_CONFIDENCE, 3.0)
    assert 0 < len(shown(item).position) == np.count_nonzero(confidence >= 3.0) < 200
    set_input(item, point_cloud.MINIMUM_CONFIDENCE, 1.0)
    set_input(item, point_cloud.DENSITY, 0.0)
    assert shown(item) is None


def test_points_without_colors_are_left_to_blender(build):
    item = cloud_of(build(people=1, points=50))
    item.data.color_attributes.remove(item.data.color_attributes[point_cloud.COLOR])
    item.data.update()
    bpy.context.view_layer.update()
    assert shown(item) is None


@pytest.mark.parametrize("hide", ["object", "eye", "collection", "local", "type"])
def test_hidden_points_are_not_drawn(build, scene, view, hide, select):
    made = build(people=1, points=50)
    item, space = cloud_of(made), view.spaces.active
    bpy.context.view_layer.update()
    assert solid_points.clouds(bpy.context, space) == [item]
    layer = bpy.context.view_layer.layer_collection.children[made.root.users_collection[0].name]
    if hide == "object":
        item.hide_viewport = True
    elif hide == "eye":
        item.hide_set(True)
    elif hide == "collection":
        layer.exclude = True
    elif hide == "local":
        select(made.camera)
        assert bpy.ops.view3d.localview() == {"FINISHED"}
    else:
        space.show_object_viewport_pointcloud = False
    try:
        bpy.context.view_layer.update()
        assert solid_points.clouds(bpy.context, space) == []
    finally:
        space.show_object_viewport_pointcloud = True
        if space.local_view:
            bpy.ops.view3d.localview()


def test_only_changes_of_the_points_count_as_changes(build, scene):
    made = build(people=1, points=50)
    item = cloud_of(made)
    bpy.context.view_layer.update()
    before = changes.revision(item)
    item.location.x = 1.0
    scene.frame_set(3)
    bpy.context.view_layer.update()
    assert changes.revision(item) == before
    set_input(item, point_cloud.DENSITY, 0.5)
    assert changes.revision(item) != before
    before = changes.revision(item)
    for _ in point_cloud.fill(lambda: item, [np.zeros((2, 3), np.float32)], [np.ones((2, 4), np.float32)],
                              [np.ones(2, np.float32)]):  # fmt: skip
        pass
    bpy.context.view_layer.update()
    assert changes.revision(item) != before


def test_undo_counts_as_a_change_of_everything(build):
    item = cloud_of(build(people=1, points=50))
    name, before = item.name, changes.revision(item)
    bpy.ops.ed.undo_push(message="before")
    item.location.x = 1.0
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    assert changes.revision(bpy.data.objects[name]) != before


def test_parts_hold_every_point_once_and_are_small():
    """However far away a few of them are."""
    position = np.random.default_rng(1).uniform(-1, 1, (20_000, 3)).astype(np.float32)
    position[:20] *= 1000
    found = solid_points.parts(position)
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(len(position)))
    assert len(found) == 64 and np.median([np.ptp(position[rows], axis=0).max() for rows in found]) < 0.7
    assert [len(rows) for rows in solid_points.parts(position[:3])] == [3]


def test_a_dot_covers_its_ball():
    """A ball of 0.1 m, 2 m before a view of 90 degrees that is 400 pixels high, is 20 pixels across."""
    assert solid_points.dot_size(0.1, 2.0, 400, 1.0) == pytest.approx(20.0)
    assert solid_points.dot_size(0.1, 1e-9, 400, 1.0) == 128.0 and solid_points.dot_size(0.001, 50.0, 400, 1.0) == 2.0


def test_nothing_is_drawn_without_a_window():
    assert bpy.app.background and solid_points._drawing._handlers == []
