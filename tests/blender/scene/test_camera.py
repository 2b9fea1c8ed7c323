# SPDX-License-Identifier: GPL-3.0-or-later
"""A world point lands on the pixel it came from, by Blender's own projection and in a picture it renders."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import coordinates
from bl_ext.user_default.human3r_blender.human3r_blender.scene import camera
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

SIZES = {"landscape": (640, 360), "portrait": (360, 640), "square": (480, 480)}


def project(take, index, points):
    """(N, 2) pixels of (N, 3) world points of the take, by the pinhole formula alone."""
    pose = take.world_from_camera[index]
    in_camera = (points - pose[:3, 3]) @ pose[:3, :3]
    return take.focals[index] * in_camera[:, :2] / in_camera[:, 2:] + np.array(take.principal_point)


def seen_points(take, index, pixels, depth=3.0):
    """(N, 3) world points of the take that lie on the given pixels of a frame."""
    rays = np.ones((len(pixels), 3))
    rays[:, :2] = (pixels - np.array(take.principal_point)) / take.focals[index]
    pose = take.world_from_camera[index]
    return depth * rays @ pose[:3, :3].T + pose[:3, 3]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("offset", [(0.0, 0.0), (37.0, -22.5)], ids=["centred", "off-centre"])
def test_points_project_onto_their_pixels(scene, synthetic, build, go_to, size, offset):
    width, height = size
    principal_point = (width / 2 - 0.5 + offset[0], height / 2 - 0.5 + offset[1])
    take = synthetic(frames=4, people=0, points=0, size=size, principal_point=principal_point)
    made = build(take)
    pixels = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1], [100, 200]], dtype=float)
    for index in (0, 3):
        go_to(scene, 1 + index)
        points = seen_points(take, index, pixels)
        np.testing.assert_allclose(project(take, index, points), pixels, atol=1e-9)
        for point, pixel in zip(coordinates.points_to_root(points), pixels, strict=True):
            x, y, depth = world_to_camera_view(scene, made.camera, made.root.matrix_world @ Vector(point))
            assert depth > 0
            # Blender's view runs from the picture's left and bottom edges; a take's pixels count from their centres.
            np.testing.assert_allclose([x * width - 0.5, (1 - y) * height - 0.5], pixel, atol=0.02)


@pytest.mark.parametrize("size", [(96, 64), (64, 96)], ids=["landscape", "portrait"])
def test_rendered_point_appears_on_its_pixel(scene, synthetic, build, go_to, tmp_path, size):
    take = synthetic(frames=2, people=0, points=0, size=size, focal=80.0, principal_point=(40.0, 27.0))
    take.focals[:] = 80.0
    build(take)
    go_to(scene, 2)
    pixel = np.array([[20.0, 41.0]])
    glow = bpy.data.materials.new("glow")
    if bpy.app.version < (5, 0):
        glow.use_nodes = True
    glow.node_tree.nodes.clear()
    emission = glow.node_tree.nodes.new("ShaderNodeEmission")
    output = glow.node_tree.nodes.new("ShaderNodeOutputMaterial")
    glow.node_tree.links.new(emission.outputs[0], output.inputs[0])
    place = coordinates.points_to_root(seen_points(take, 1, pixel))[0]
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.06, location=place)
    bpy.context.object.data.materials.append(glow)
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 16, False
    scene.world = None
    scene.view_settings.view_transform = "Raw"
    scene.render.dither_intensity = 0.0
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(tmp_path / "glow.png")
    bpy.ops.render.render(write_still=True)
    picture = bpy.data.images.load(str(tmp_path / "glow.png"))
    assert tuple(picture.size) == size
    light = np.array(picture.pixels[:]).reshape(size[1], size[0], 4)[::-1, :, 0]
    rows, columns = np.mgrid[: size[1], : size[0]]
    centre = [(light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()]
    np.testing.assert_allclose(centre, pixel[0], atol=0.25)


def test_lens_and_shifts_have_the_documented_units():
    lens, shift_x, shift_y = camera.lens_and_shifts(np.array([640.0]), np.array([[319.5, 179.5]]), (640, 360))
    assert (lens[0], shift_x[0], shift_y[0]) == (camera.SENSOR_MM, 0.0, 0.0)
    _, shift_x, shift_y = camera.lens_and_shifts(np.array([640.0]), np.array([[383.5, 243.5]]), (640, 360))
    np.testing.assert_allclose([shift_x[0], shift_y[0]], [-0.1, 0.1])
