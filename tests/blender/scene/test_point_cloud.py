# SPDX-License-Identifier: GPL-3.0-or-later
"""All points of the place in one object, with colour and confidence, filtered and thinned by the modifier."""

import bpy
import numpy as np
from bl_ext.user_default.human3r_blender.human3r_blender.blender import coordinates, tags
from bl_ext.user_default.human3r_blender.human3r_blender.scene import point_cloud
from bl_ext.user_default.human3r_blender.human3r_blender.scene.builder import SceneBuilder


def points_object(made):
    return tags.find(made.root[tags.TAKE], tags.POINTS)


def attribute(data, name, field, width):
    values = np.empty(len(data.attributes[name].data) * width, dtype=np.float32)
    data.attributes[name].data.foreach_get(field, values)
    return values.reshape(-1, width) if width > 1 else values


def shown(item):
    """The point cloud that Blender shows for the object, as (N, 3) positions and (N,) radii."""
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        if instance.object.type == "POINTCLOUD" and instance.object.name == item.name:
            data = instance.object.data
            return attribute(data, "position", "vector", 3), attribute(data, "radius", "value", 1)
    return np.empty((0, 3)), np.empty(0)


def set_input(item, name, value):
    modifier = item.modifiers[0]
    modifier[modifier.node_group.interface.items_tree[name].identifier] = value
    item.update_tag()


def test_points_have_position_colour_and_confidence(scene, synthetic, build):
    take = synthetic(frames=4, people=0, points=500)
    data = points_object(build(take)).data
    position = attribute(data, "position", "vector", 3)
    np.testing.assert_array_equal(position, coordinates.points_to_root(take.cloud))
    color = attribute(data, point_cloud.COLOR, "color_srgb", 4)
    np.testing.assert_allclose(color[:, :3] * 255, take.cloud_color, atol=1e-3)
    np.testing.assert_array_equal(attribute(data, point_cloud.CONFIDENCE, "value", 1), take.cloud_confidence)


def test_points_add_up_until_a_final_cloud_replaces_them(scene, synthetic):
    take = synthetic(frames=1, people=0, points=900)
    made = SceneBuilder(scene, take.header)
    for last in (300, 600, 610, 900):
        made.add(take.scene_points(0 if last == 300 else {600: 300, 610: 600, 900: 610}[last], last))
        made.work()
    # The ten were too few to fill the mesh again for; they came with the next ones.
    assert len(points_object(made).data.vertices) == 900
    made.add(take.scene_points(0, 50, replaces_all=True))
    made.finish()
    made.work()
    item = points_object(made)
    assert len(item.data.vertices) == 50
    assert len([mesh for mesh in bpy.data.meshes if mesh.users == 0]) == 0
    assert len([other for other in scene.objects if other.get(tags.ROLE) == tags.POINTS]) == 1


def test_an_empty_final_cloud_empties_the_object(scene, synthetic):
    take = synthetic(frames=1, people=0, points=10)
    made = SceneBuilder(scene, take.header)
    made.add(take.scene_points(0, 10))
    made.work()
    made.add(take.scene_points(0, 0, replaces_all=True))
    made.finish()
    made.work()
    assert len(points_object(made).data.vertices) == 0


def test_points_are_shown_at_once_filtered_thinned_and_sized(scene, synthetic, build):
    take = synthetic(frames=1, people=0, points=4000)
    item = points_object(build(take))
    settings = take.header.settings
    position, radius = shown(item)
    confident = take.cloud_confidence >= settings.point_confidence
    np.testing.assert_allclose(position, coordinates.points_to_root(take.cloud)[confident], atol=1e-6)
    np.testing.assert_allclose(radius, 0.4 * settings.voxel_size, rtol=1e-6)
    set_input(item, point_cloud.MINIMUM_CONFIDENCE, 3.0)
    assert len(shown(item)[0]) == (take.cloud_confidence >= 3.0).sum()
    set_input(item, point_cloud.MINIMUM_CONFIDENCE, 0.0)
    set_input(item, point_cloud.DENSITY, 0.25)
    set_input(item, point_cloud.RADIUS, 0.1)
    position, radius = shown(item)
    assert 850 < len(position) < 1150
    np.testing.assert_allclose(radius, 0.1, rtol=1e-6)


def test_points_render_in_their_colours(scene, synthetic, build, tmp_path):
    take = synthetic(frames=1, people=0, points=2000, size=(48, 32), focal=40.0, principal_point=(23.5, 15.5))
    take.cloud_color[:] = (40, 200, 120)
    take.cloud_confidence[:] = 5.0
    item = points_object(build(take))
    set_input(item, point_cloud.RADIUS, 1.0)
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
    scene.view_settings.view_transform = "Standard"
    scene.render.dither_intensity = 0.0
    scene.render.filepath = str(tmp_path / "points.png")
    bpy.ops.render.render(write_still=True)
    picture = np.array(bpy.data.images.load(str(tmp_path / "points.png")).pixels[:]).reshape(-1, 4)
    np.testing.assert_allclose(np.median(picture[:, :3], axis=0) * 255, (40, 200, 120), atol=2)
