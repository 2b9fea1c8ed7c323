# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody tells the people's colours apart, and they are the same in every kind of view and render."""

import itertools

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import colors

from .color_vision import VISIONS, difference, seen
from .conftest import meshes

LEAST_DIFFERENCE = 10.0


@pytest.mark.parametrize(("first", "second", "expected"), [  # out of the published test data
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425), ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
])  # fmt: skip
def test_the_measure_is_the_published_one(first, second, expected):
    assert difference(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_colours_are_told_apart(vision):
    looks = seen(np.array(colors.PALETTE)[:, :3], vision)
    for first, second in itertools.combinations(range(len(looks)), 2):
        assert difference(looks[first], looks[second]) > LEAST_DIFFERENCE, (first, second)


def test_no_colour_is_lost_in_the_dark():
    assert seen(np.array(colors.PALETTE)[:, :3], "normal")[:, 0].min() > 30


def test_each_colour_comes_once_before_one_comes_again():
    taken = []
    for _ in range(2 * len(colors.PALETTE)):
        taken.append(colors.next_color(taken))
    half = len(colors.PALETTE)
    assert len(set(taken[:half])) == half and taken[half:] == taken[:half]
    assert colors.next_color([*taken[:3], *taken[4:half], (0.1, 0.2, 0.3, 1.0)]) == taken[3]


def colors_of(mesh):
    """The places that hold a person's colour."""
    shader = next(node for node in mesh.active_material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    return [
        tuple(place)
        for place in (
            mesh.color,
            mesh.active_material.diffuse_color,
            mesh.parent.color,
            shader.inputs["Base Color"].default_value,
        )
    ]


def assert_painted(mesh, color):
    for found in colors_of(mesh):
        assert found == pytest.approx(color, abs=1e-6)


def test_people_get_colours_of_their_own_across_takes(build):
    people = [*meshes(build(people=3, points=0).root), *meshes(build(people=2, points=0, seed=2).root)]
    for mesh, color in zip(people, colors.PALETTE, strict=False):
        assert_painted(mesh, color)


def test_a_render_shows_the_colours(build, scene):
    """In light that has no direction, a matt body reflects its own colour."""
    made = build(people=2, points=0, pose_scale=0.05)
    scene.world = bpy.data.worlds.new("even light")
    if bpy.app.version < (5, 0):
        scene.world.use_nodes = True
    next(node for node in scene.world.node_tree.nodes if node.type == "BACKGROUND").inputs["Color"].default_value = (
        1,
        1,
        1,
        1,
    )
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 4, False
    scene.render.resolution_x, scene.render.resolution_y, scene.render.film_transparent = 64, 36, True
    scene.view_settings.view_transform = "Standard"
    scene.camera = made.camera
    for item in scene.objects:
        item.hide_render = False
    everyone = meshes(made.root)
    for mesh in everyone:
        for other in everyone:
            other.hide_render = other != mesh
            if other.animation_data is not None:
                other.animation_data_clear()
        pixels = rendered(scene)
        body = pixels[pixels[:, 3] > 0.99, :3]
        assert len(body) > 20
        found, wanted = np.median(body, axis=0), np.array(mesh.color[:3])
        np.testing.assert_allclose(found / found.max(), wanted / wanted.max(), atol=0.12)


def rendered(scene):
    """(N, 4) linear pixels of the scene at this frame."""
    scene.render.image_settings.file_format, scene.render.image_settings.color_depth = "OPEN_EXR", "32"
    scene.render.filepath = f"{bpy.app.tempdir}colours.exr"
    bpy.ops.render.render(write_still=True)
    picture = bpy.data.images.load(scene.render.filepath)
    pixels = np.empty(4 * 64 * 36, np.float32)
    picture.pixels.foreach_get(pixels)
    bpy.data.images.remove(picture)
    return pixels.reshape(-1, 4)


def test_colouring_apart_repairs_what_became_alike(build):
    people = meshes(build(people=3, points=0).root)
    shared = people[0].active_material
    for mesh in people:
        mesh.active_material = shared
        mesh.color = (0.5, 0.5, 0.5, 1.0)
    assert bpy.ops.human3r.color_people() == {"FINISHED"}
    for mesh, color in zip(people, colors.PALETTE, strict=False):
        assert_painted(mesh, color)


def test_selected_people_get_the_colour_one_gives_them(build, select):
    made = build(people=3, points=0)
    people = meshes(made.root)
    select(people[1])
    assert bpy.ops.human3r.paint_people(color=(0.1, 0.2, 0.3, 1.0)) == {"FINISHED"}
    assert_painted(people[1], (0.1, 0.2, 0.3, 1.0))
    assert_painted(people[0], colors.PALETTE[0])
    assert bpy.ops.human3r.color_people(everyone=False) == {"FINISHED"}
    assert_painted(people[1], colors.PALETTE[1])
    select(tags.find(made.root[tags.TAKE], tags.CAMERA))
    with pytest.raises(RuntimeError, match="No people are selected"):
        bpy.ops.human3r.paint_people(color=(1, 0, 0, 1))


def test_who_is_split_off_gets_another_colour(build, scene, select):
    made = build(people=2, points=0)
    select(meshes(made.root)[0])
    scene.frame_set(4)
    assert bpy.ops.human3r.split_people() == {"FINISHED"}
    for mesh, color in zip(meshes(made.root), colors.PALETTE[:3], strict=True):
        assert_painted(mesh, color)
        assert mesh.active_material.users == 1


def test_a_body_without_a_material_gets_one(build):
    mesh = meshes(build(people=1, points=0).root)[0]
    mesh.data.materials.clear()
    colors.paint(mesh, colors.PALETTE[4])
    assert_painted(mesh, colors.PALETTE[4])


def test_the_view_changes_to_colours_and_back(view):
    shading = view.spaces.active.shading
    assert shading.type == "SOLID"
    assert bpy.ops.human3r.show_colors() == {"FINISHED"} and shading.type == "MATERIAL"
    shading.color_type = "OBJECT"
    assert bpy.ops.human3r.show_colors() == {"FINISHED"} and shading.type == "SOLID"
