# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives names, colours, the camera's view, presets and the search in a real Blender window, and takes pictures.

Run by hand as `driving.py` says, with

    export HUMAN3R_TAKE=outputs/truth.h3r                   a take; `python3 build.py demo` makes this one

No engine is needed. It prints how long the names take to draw.
"""

import os
import sys
import time
from pathlib import Path

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d

sys.path.insert(0, str(Path(__file__).parent))
from driving import addon_module, drive, import_take, mouse, panel_picture, picture, run, viewport

TAKE = Path(os.environ["HUMAN3R_TAKE"]).resolve()
VIEW_MIDDLE = (400, 350)  # pixels from the window's top left corner, in the 3D view


def search(text):
    """Open what F3 opens, type, press Return: the first thing that is found is run."""
    mouse("mousemove", *VIEW_MIDDLE)
    yield 0.5
    run(bpy.ops.wm.search_menu, "INVOKE_DEFAULT")  # for virtual keyboards may have no function keys
    yield 3.0
    mouse("type", "--delay", 20, text)
    yield 1.5
    picture(f"search-{text.lower().replace(' ', '-')}")
    mouse("key", "Return")
    yield 1.5


def label(operator):
    return operator.get_rna_type().name


def steps():
    """What a person does, with the seconds to wait in between."""
    yield from import_take(TAKE)
    people = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    assert people
    view = viewport().spaces.active.region_3d
    assert (people[0].matrix_world @ people[0].pose.bones["pelvis"].head - view.view_location).length < 3, "not framed"
    points = addon_module("sections.display.solid_points")
    assert [len(drawn.parts) > 0 for drawn in points._drawn.values()] == [True], "no points in color"
    picture("0-framed")
    yield from posing(people[0])
    run(bpy.ops.view3d.view_all)
    yield 1.5
    picture("1-solid-with-names")
    people[0].name = "Ada"
    yield 1.0
    picture("2-renamed")
    run(print_drawing_time, addon_module("sections.display.name_tags"))

    started = time.monotonic()
    yield from search(label(bpy.ops.human3r.show_colors))
    assert viewport().spaces.active.shading.type == "MATERIAL", "the search did not find the colors"
    yield 20.0  # shaders are compiled, which takes long without a graphics card
    picture("3-colors")
    print(f"colors after {time.monotonic() - started:.0f} s")
    run(bpy.ops.human3r.show_colors)
    yield 1.0

    area = viewport()
    view, region = area.spaces.active, area.spaces.active.region_3d
    before = region.view_matrix.copy(), region.view_perspective
    bpy.context.scene.frame_set(bpy.context.scene.frame_end)
    yield from search(label(bpy.ops.human3r.play_camera_view))
    screen = bpy.context.window_manager.windows[0].screen
    assert region.view_perspective == "CAMERA" and screen.is_animation_playing, "the search did not play the view"
    assert view.camera.data.show_background_images and view.camera.data.background_images[0].clip is not None
    yield 2.0
    frames = []
    for _ in range(10):
        frames.append(bpy.context.scene.frame_current)
        yield 0.2
    assert len(set(frames)) > 2, f"it does not play: {frames}"
    picture("4-camera-view-playing")
    assert_in_free_part(area, view.camera)
    yield from see_through(view.camera)
    yield from search(label(bpy.ops.human3r.play_camera_view))
    assert (region.view_matrix.copy(), region.view_perspective) == before and not screen.is_animation_playing
    yield 1.0
    picture("5-back")

    yield from panel_picture("6-presets", "HUMAN3R_PT_presets")
    yield from search("fast preview")
    assert bpy.context.scene.human3r.stride == 3, "the search did not find the preset"
    run(bpy.ops.wm.call_menu, "INVOKE_DEFAULT", name="HUMAN3R_MT_tools")
    yield 1.5
    picture("7-menu")
    mouse("key", "Escape")
    yield 0.5


def posing(person):
    """Whoever is selected has an outline, and limbs in Pose Mode, by the keyboard."""
    run(bpy.ops.human3r.select_person, name=person.name)
    run(bpy.ops.human3r.frame_people)
    yield 1.0
    picture("0-selected")
    assert len(addon_module("sections.display.outline")._drawn) == 1, "no outline"
    mouse("mousemove", *VIEW_MIDDLE)
    yield 0.5
    mouse("key", "ctrl+Tab")
    yield 1.5
    assert person.mode == "POSE" and person.show_in_front and person.data.show_bone_custom_shapes, "no limbs"
    picture("0-posing")
    mouse("key", "ctrl+Tab")
    yield 1.5
    assert person.mode == "OBJECT" and not person.show_in_front, "limbs stay in front"


def see_through(camera):
    display = bpy.context.scene.human3r_display
    display.body_opacity, display.wireframe = 0.4, True
    yield 1.0
    picture("4-camera-view-see-through")
    display.body_opacity, display.wireframe = 1.0, False
    camera.data.background_images[0].alpha = 0.4
    yield 1.0
    picture("4-camera-view-faint-footage")
    camera.data.background_images[0].alpha = 1.0


def assert_in_free_part(area, camera):
    """The camera's picture is not covered by the sidebar, the tools or the headers."""
    region = next(region for region in area.regions if region.type == "WINDOW")
    drawn = area.spaces.active.region_3d
    # Where the camera was when the view was drawn: it plays, and the camera itself may be a frame further.
    place = drawn.view_matrix.inverted()
    corners = [
        location_3d_to_region_2d(region, drawn, place @ corner)
        for corner in camera.data.view_frame(scene=bpy.context.scene)
    ]
    left, bottom, right, top = addon_module("sections.display.view").free_part(area)
    print(f"picture {[tuple(map(round, corner)) for corner in corners]} in {left, bottom, right, top}")
    assert right < region.width, "the sidebar covers nothing"
    assert all(left <= corner.x <= right and bottom <= corner.y <= top for corner in corners)
    assert max(corner.x for corner in corners) - min(corner.x for corner in corners) > 0.7 * (right - left)


def print_drawing_time(name_tags):
    """Time of finding and placing the names, without the drawing itself, which the graphics card does."""
    started = time.perf_counter()
    for _ in range(100):
        found = name_tags.name_tags(bpy.context, bpy.context.space_data)
    print(f"{len(found)} names found in {10 * (time.perf_counter() - started):.2f} ms")


drive(steps())
