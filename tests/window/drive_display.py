# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives names, colours, the camera's view, presets and the search in a real Blender window, and takes pictures.

Run by hand as `drive_panel.py` says, with this script instead of that one, and with

    export HUMAN3R_TAKE=outputs/truth.h3r                   a take; `python3 build.py demo` makes this one

in place of HUMAN3R_VIDEO; no engine is needed. Then look at the pictures. The script ends with exit code 1 when what it
sees is not what the buttons, or the search, should have done. It prints how long the names take to draw.
"""

import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d

PICTURES = Path(os.environ["HUMAN3R_PICTURES"])
TAKE = Path(os.environ["HUMAN3R_TAKE"]).resolve()
VIEW_MIDDLE = (400, 350)  # pixels from the window's top left corner, in the 3D view


def mouse(*arguments):
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def picture(name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["import", "-window", "root", str(PICTURES / f"{name}.png")], check=True)


def viewport():
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")


def in_viewport():
    area = viewport()
    region = next(region for region in area.regions if region.type == "WINDOW")
    return bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region)


def run(operator, *arguments, **properties):
    with in_viewport():
        return operator(*arguments, **properties)


def addon_module(name):
    return next(module for path, module in sys.modules.items() if path.endswith(f".human3r_blender.{name}"))


def search(text):
    """Open what F3 opens, type, press Return: the first thing that is found is run."""
    mouse("mousemove", *VIEW_MIDDLE)
    yield 0.5
    run(bpy.ops.wm.search_menu, "INVOKE_DEFAULT")  # for virtual keyboards may have no function keys
    yield 3.0
    mouse("type", "--delay", 20, text)
    yield 1.5
    picture(f"search-{text.replace(' ', '-')}")
    mouse("key", "Return")
    yield 1.5


def steps():
    """What a person does, with the seconds to wait in between."""
    area = viewport()
    area.spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Human3R"
    for name in ("Cube", "Light", "Camera"):
        bpy.data.objects.remove(bpy.data.objects[name])
    yield 1.0
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=str(TAKE))
    session = addon_module("session")
    while session.current().is_active:
        yield 0.3
    assert session.current().progress.phase == "complete", session.current().error
    people = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    assert people
    run(bpy.ops.view3d.view_all)
    yield 1.5
    picture("1-solid-with-names")
    people[0].name = "Ada"
    yield 1.0
    picture("2-renamed")
    print_drawing_time(addon_module("looks.name_tags"))

    started = time.monotonic()
    yield from search("show colours")
    assert area.spaces.active.shading.type == "MATERIAL", "the search did not find Show Colours"
    yield 20.0  # shaders are compiled, which takes long without a graphics card
    picture("3-colours")
    print(f"colours after {time.monotonic() - started:.0f} s")
    run(bpy.ops.human3r.show_colors)
    yield 1.0

    view, region = area.spaces.active, area.spaces.active.region_3d
    before = region.view_matrix.copy(), region.view_perspective
    bpy.context.scene.frame_set(bpy.context.scene.frame_end)
    yield from search("play camera view")
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
    yield from search("play camera view")
    assert (region.view_matrix.copy(), region.view_perspective) == before and not screen.is_animation_playing
    yield 1.0
    picture("5-back")

    run(bpy.ops.wm.call_panel, "INVOKE_DEFAULT", name="HUMAN3R_PT_presets")
    yield 1.5
    picture("6-presets")
    mouse("key", "Escape")
    yield 0.5
    yield from search("fast preview")
    assert bpy.context.scene.human3r.stride == 3, "the search did not find the preset"
    run(bpy.ops.wm.call_menu, "INVOKE_DEFAULT", name="HUMAN3R_MT_tools")
    yield 1.5
    picture("7-menu")
    mouse("key", "Escape")
    yield 0.5


def assert_in_free_part(area, camera):
    """The camera's picture is not covered by the sidebar, the tools or the headers."""
    region = next(region for region in area.regions if region.type == "WINDOW")
    scene = bpy.context.scene
    corners = [location_3d_to_region_2d(region, area.spaces.active.region_3d, camera.matrix_world @ corner)
               for corner in camera.data.view_frame(scene=scene)]
    left, bottom, right, top = addon_module("looks.view").free_part(area)
    print(f"picture {[tuple(map(round, corner)) for corner in corners]} in {left, bottom, right, top}")
    assert right < region.width, "the sidebar covers nothing"
    assert all(left <= corner.x <= right and bottom <= corner.y <= top for corner in corners)
    assert max(corner.x for corner in corners) - min(corner.x for corner in corners) > 0.7 * (right - left)


def print_drawing_time(name_tags):
    """Time of finding and placing the names, without the drawing itself, which the graphics card does."""
    with in_viewport():
        started = time.perf_counter()
        for _ in range(100):
            found = name_tags.name_tags(bpy.context, bpy.context.space_data)
        print(f"{len(found)} names found in {10 * (time.perf_counter() - started):.2f} ms")


class Driver:
    """Runs the steps by a timer."""

    def __init__(self):
        self.steps = steps()

    def step(self):
        try:
            return next(self.steps)
        except StopIteration:
            bpy.ops.wm.quit_blender()
        except BaseException:
            traceback.print_exc()
            picture("failed")
            os._exit(1)


bpy.context.preferences.view.show_splash = False
driver = Driver()
bpy.app.timers.register(driver.step, first_interval=3.0)
