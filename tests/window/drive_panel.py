# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the panel in a real Blender window with the mouse and the keyboard, and takes pictures of it on the way.

Run by hand, on a machine with Xvfb, xdotool and ImageMagick (it is not part of the suite, which needs no window):

    export HUMAN3R_ENGINE_PYTHON=.environments/engine/bin/python HUMAN3R_VIDEO=clip.mp4 HUMAN3R_PICTURES=pictures
    export BLENDER_USER_RESOURCES=$(mktemp -d)
    $HUMAN3R_BLENDER --command extension install-file --repo user_default --enable dist/human3r_blender-0.1.0.zip
    xvfb-run -a -s "-screen 0 1280x800x24" $HUMAN3R_BLENDER --window-geometry 0 0 1280 800 --python-exit-code 1 \
        --python tests/window/drive_panel.py

HUMAN3R_BLENDER is the Blender program. Then look at the pictures. The script ends with exit code 1 when what it sees in
the scene is not what the buttons should have done. It prints the longest time that the window did not react.
"""

import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy

PICTURES = Path(os.environ["HUMAN3R_PICTURES"])
VIDEO = Path(os.environ["HUMAN3R_VIDEO"]).resolve()
FRAMES = int(os.environ.get("HUMAN3R_FRAMES", "60"))

# Pixels from the window's top left corner, for a window of 1280 x 800 with Blender's factory layout.
VIDEO_FIELD = (860, 127)
START = (900, 158)
CANCEL = (900, 154)


def mouse(*arguments):
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def click(position):
    mouse("mousemove", *position)
    yield 0.4
    mouse("click", 1)
    yield 0.6


def picture(name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["import", "-window", "root", str(PICTURES / f"{name}.png")], check=True)


def viewport():
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")


def in_viewport():
    area = viewport()
    region = next(region for region in area.regions if region.type == "WINDOW")
    return bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region)


def addon_module(name):
    return next(module for path, module in sys.modules.items() if path.endswith(f".human3r_blender.{name}"))


def session():
    return addon_module("session").current()


def steps():
    """What a person does, with the seconds to wait in between."""
    area = viewport()
    area.spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Human3R"
    for name in ("Cube", "Light", "Camera"):
        bpy.data.objects.remove(bpy.data.objects[name])
    yield 1.0
    picture("1-empty")
    mouse("mousemove", *VIDEO_FIELD)
    yield 0.3
    mouse("click", "--repeat", 2, "--delay", 60, 1)
    yield 0.6
    mouse("type", "--delay", 5, str(VIDEO))
    yield 0.5
    mouse("key", "Return")
    yield 0.5
    settings = bpy.context.scene.human3r
    assert settings.source == str(VIDEO), f"the video field holds {settings.source!r}"
    settings.end = FRAMES
    yield 0.5
    picture("2-video")
    yield from click(START)
    yield from wait_for_frames(FRAMES // 2)
    with in_viewport():
        bpy.ops.view3d.view_all()
    yield from wait_for_frames(FRAMES * 3 // 4)
    picture("3-running")
    yield from wait_for_end("complete")
    assert session().progress.frames_done == FRAMES
    assert any(item.type == "ARMATURE" for item in bpy.context.scene.objects)
    picture("4-done")
    with in_viewport():
        bpy.ops.view3d.view_camera()
    yield 1.5
    picture("5-through-the-camera")

    bpy.context.scene.human3r.source = str(VIDEO.with_name("absent.mp4"))
    yield 0.5
    yield from click(START)
    yield from wait_for_end("failed")
    picture("6-error")

    # a second run, with undo in the middle, that is cancelled
    bpy.context.scene.human3r.source, bpy.context.scene.human3r.end = str(VIDEO), 0
    bpy.ops.ed.undo_push(message="settings")
    yield 0.5
    yield from click(START)
    yield from wait_for_frames(12)
    mouse("mousemove", 400, 500)
    yield 0.3
    mouse("key", "ctrl+z")
    yield 1.0
    yield from wait_for_frames(20)
    picture("7-after-undo")
    yield from click(CANCEL)
    started = time.monotonic()
    yield from wait_for_end("cancelled")
    print(f"cancelling took {time.monotonic() - started:.1f} s")
    picture("8-cancelled")


def wait_for_frames(count):
    assert session() is not None and session().is_active, "Start did not start"
    mouse("mousemove", 500, 640)
    while session().progress.frames_done < count:
        assert session().is_active, session().error
        yield 0.2


def wait_for_end(phase):
    while session().is_active:
        yield 0.2
    assert session().progress.phase == phase, (session().progress.phase, session().error)
    yield 1.0


class Driver:
    """Runs the steps by a timer, and measures how long the window does not react: by our work, and in all."""

    def __init__(self):
        self.steps = steps()
        self.last = None
        self.longest = 0.0
        self.slices = []
        live = addon_module("live")
        pump = live.pump

        def timed_pump():
            started = time.perf_counter()
            wait = pump()
            self.slices.append(time.perf_counter() - started)
            return wait

        live.pump = timed_pump

    def step(self):
        try:
            return next(self.steps)
        except StopIteration:
            slices = sorted(self.slices)
            print(f"{len(slices)} slices of work, the longest {1000 * slices[-1]:.0f} ms, 99 % below "
                  f"{1000 * slices[len(slices) * 99 // 100]:.0f} ms; drawing included, the longest time without "
                  f"reaction was {1000 * self.longest:.0f} ms")
            bpy.ops.wm.quit_blender()
        except BaseException:
            traceback.print_exc()
            picture("failed")
            os._exit(1)

    def measure(self):
        now = time.perf_counter()
        if self.last is not None and session() is not None and session().is_active:
            self.longest = max(self.longest, now - self.last)
        self.last = now
        return 0.0


bpy.context.preferences.view.show_splash = False
driver = Driver()
bpy.app.timers.register(driver.step, first_interval=3.0)
bpy.app.timers.register(driver.measure)
