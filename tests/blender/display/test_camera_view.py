# SPDX-License-Identifier: GPL-3.0-or-later
"""One click to the camera's view with the footage, playing, and one click back to what was there before."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.scene import backdrop
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import camera_view
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import view as looks_view

from ..backdrops import of_view


def looks_of(area):
    """What a person sees of a 3D view's state."""
    view, region = area.spaces.active, area.spaces.active.region_3d
    return {
        "perspective": region.view_perspective,
        "location": tuple(region.view_location),
        "rotation": tuple(np.round(region.view_rotation, 5)),
        "distance": region.view_distance,
        "zoom": region.view_camera_zoom,
        "offset": tuple(region.view_camera_offset),
        "own": view.use_local_camera,
        "camera": view.camera,
        "shading": view.shading.type,
        "overlays": [getattr(view.overlay, name) for name in camera_view._OVERLAYS],
    }


def play():
    return bpy.ops.human3r.play_camera_view()


@pytest.fixture
def made(build, footage, select):
    builder = build(frames=8, source=str(footage), size=(256, 192))
    select(builder.camera)
    return builder


@pytest.fixture
def points(made):
    return tags.find(made.root[tags.TAKE], tags.POINTS)


@pytest.mark.parametrize(("before", "shading"), [("PERSP", "SOLID"), ("ORTHO", "RENDERED"), ("CAMERA", "WIREFRAME")])
def test_there_and_back(view, made, points, scene, before, shading):
    space, region = view.spaces.active, view.spaces.active.region_3d
    own = bpy.data.objects.new("somebody's camera", bpy.data.cameras.new("somebody's camera"))
    scene.collection.objects.link(own)
    scene.camera = own
    region.view_perspective, region.view_location, region.view_distance = before, (1, 2, 3), 7.0
    space.shading.type, space.overlay.show_overlays = shading, False
    scene.frame_set(8)
    looked = looks_of(view)
    try:
        assert play() == {"FINISHED"}
        assert bpy.context.screen.is_animation_playing and scene.frame_current == scene.frame_start
        assert region.view_perspective == "CAMERA" and space.camera == made.camera and scene.camera == own
        assert space.overlay.show_overlays and space.shading.type == "SOLID"
        assert made.camera.data.show_background_images and points.hide_get()
        assert camera_view.is_entered(view)
    finally:
        assert play() == {"FINISHED"}
    assert not bpy.context.screen.is_animation_playing and not camera_view.is_entered(view)
    assert looks_of(view) == looked | {"camera": own} and not points.hide_get()


def test_what_was_hidden_stays_hidden_and_points_may_stay(view, made, points, scene):
    scene.human3r_display.hide_points = False
    play()
    assert not points.hide_get()
    play()
    scene.human3r_display.hide_points = True
    points.hide_set(True)
    made.camera.data.show_background_images = False
    play()
    assert made.camera.data.show_background_images
    play()
    assert points.hide_get() and not made.camera.data.show_background_images


def test_a_backdrop_makes_way_for_the_footage_too(view, made, points, synthetic):
    for _ in backdrop.create(made.root[tags.TAKE], made.root, made.root.users_collection[0], of_view(synthetic())):
        pass
    item = tags.find(made.root[tags.TAKE], tags.BACKDROP)
    play()
    assert item.hide_get() and points.hide_get()
    play()
    assert not item.hide_get() and not points.hide_get()


def test_footage_that_was_left_out_at_the_import_is_found(view, build, footage, select):
    made = build(source=str(footage), size=(256, 192), options={"show_footage": False})
    select(made.camera)
    made.root[tags.SOURCE] = str(footage)
    assert not made.camera.data.background_images
    play()
    assert made.camera.data.background_images[0].clip.filepath.endswith("demo.mp4")
    play()


def test_without_its_footage_the_camera_still_plays(view, build, select):
    made = build(source="gone.mp4")
    select(made.camera)
    assert play() == {"FINISHED"} and view.spaces.active.region_3d.view_perspective == "CAMERA"
    assert play() == {"FINISHED"}


def test_the_way_back_is_there_when_the_take_is_gone(view, made):
    looked = looks_of(view)
    play()
    bpy.data.batch_remove(list(bpy.data.objects))
    assert bpy.ops.human3r.play_camera_view.poll() and play() == {"FINISHED"}
    assert looks_of(view) == looked | {"camera": None}
    assert not bpy.ops.human3r.play_camera_view.poll()


def test_a_take_without_a_camera_says_so(view, build, select):
    made = build(options={"import_camera": False})
    select(made.root)
    with pytest.raises(RuntimeError, match="no camera"):
        play()
    assert not camera_view.is_entered(view)


def test_a_new_file_forgets_the_old_view(view, made):
    play()
    bpy.ops.screen.animation_cancel(restore_frame=False)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert camera_view._kept == {}


@pytest.mark.parametrize("free", [(0, 0, 1000, 600), (60, 0, 720, 540), (0, 100, 300, 600)])
@pytest.mark.parametrize("aspect", [9 / 16, 16 / 9])
def test_the_picture_fills_what_is_free(free, aspect):
    """By Blender's own rule for zoom and offset; the window script sees where the picture really is."""
    size = np.array([1000, 600])
    zoom, offset = looks_view.camera_zoom_and_offset(tuple(size), free, aspect)
    factor = (2**0.5 + zoom / 50) ** 2 / 4
    width = size[0] * factor
    middle = size / 2 - 2 * factor * np.array(offset) * size
    low, high = middle - np.array([width, width * aspect]) / 2, middle + np.array([width, width * aspect]) / 2
    assert (low >= free[:2]).all() and (high <= free[2:]).all()
    room = np.array(free[2:]) - free[:2]
    assert max((high - low) / room) == pytest.approx(0.96)
    np.testing.assert_allclose(middle, np.add(free[2:], free[:2]) / 2)
