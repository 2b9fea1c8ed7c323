# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the panel in a real Blender window with the mouse and the keyboard, and takes pictures of it on the way.

Run by hand as `driving.py` says, with

    export HUMAN3R_ENGINE_PYTHON=.environments/engine/bin/python HUMAN3R_VIDEO=clip.mp4

It prints the longest time that the window did not react.
"""

import os
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from driving import (
    addon_module,
    drive,
    empty_scene,
    fill_in,
    find,
    mouse,
    picture,
    press,
    run,
    session,
    wait_for_end,
)

VIDEO = Path(os.environ["HUMAN3R_VIDEO"]).resolve()
FRAMES = int(os.environ.get("HUMAN3R_FRAMES", "60"))


def steps():
    """What a person does, with the seconds to wait in between."""
    empty_scene()
    yield 1.0
    picture("1-empty")
    yield from fill_in((yield from find("human3r.source")), VIDEO)
    settings = bpy.context.scene.human3r
    assert settings.source == str(VIDEO), f"the video field holds {settings.source!r}"
    settings.end = FRAMES
    yield from wait_for_facts()
    picture("2-video")
    yield from press("human3r.start_capture")
    yield from wait_for_frames(FRAMES // 2)
    run(bpy.ops.view3d.view_all)
    yield from wait_for_frames(FRAMES * 3 // 4)
    picture("3-running")
    yield from wait_for_end()
    yield 1.0
    assert session().progress.frames_done == FRAMES
    assert any(item.type == "ARMATURE" for item in bpy.context.scene.objects)
    picture("4-done")
    run(bpy.ops.view3d.view_camera)
    yield 1.5
    picture("5-through-the-camera")

    bpy.context.scene.human3r.source = str(VIDEO.with_name("absent.mp4"))
    yield from wait_for_facts()
    picture("6-absent")
    yield from press("human3r.start_capture")
    picture("6-second-take")
    mouse("key", "Return")
    yield 1.0
    yield from wait_for_end("failed")
    yield 1.0
    picture("6-error")

    # a second run, with undo in the middle, that is cancelled
    bpy.context.scene.human3r.source, bpy.context.scene.human3r.end = str(VIDEO), 2 * FRAMES
    bpy.ops.ed.undo_push(message="settings")
    yield from wait_for_facts()
    yield from press("human3r.start_capture")
    mouse("key", "Return")  # in place of the first
    yield 1.0
    yield from wait_for_frames(12)
    mouse("mousemove", 400, 500)
    yield 0.3
    mouse("key", "ctrl+z")
    yield 1.0
    yield from wait_for_frames(20)
    picture("7-after-undo")
    yield from press("human3r.cancel_capture", wait=0.1)
    picture("8-canceling")
    started = time.monotonic()
    yield from wait_for_end("cancelled")
    print(f"cancelling took {time.monotonic() - started:.1f} s, after {session().progress.frames_done} frames")
    yield 1.0
    picture("8-cancelled")

    yield from press("human3r.resume_capture")
    yield from wait_for_end()
    yield 1.0
    assert session().progress.frames_done > FRAMES, "it did not go on"
    assert len({item["human3r_take"] for item in bpy.data.objects if "human3r_take" in item}) == 1
    picture("8-resumed")

    run(bpy.ops.human3r.preview_capture, "EXEC_DEFAULT", placement="NEW_SCENE")
    yield from wait_for_end()
    yield 1.0
    picture("9-preview")


def wait_for_facts():
    """Until it is known what the chosen footage is like, and drawn."""
    yield 0.5
    addon_module("blender.sidebar").tag_redraw(("VIEW_3D", "UI"))
    while addon_module("capture.footage_facts").of(bpy.context.scene.human3r.source) is None:
        yield 0.2
    yield 1.0


def wait_for_frames(count):
    assert session() is not None and session().is_active, "Start did not start"
    if count == FRAMES // 2:
        picture("3-loading")
    mouse("mousemove", 500, 640)
    while session().progress.frames_done < count:
        assert session().is_active, session().error
        yield 0.2


class Stopwatch:
    """Measures how long the window does not react: by our work, and in all."""

    def __init__(self):
        self.last = None
        self.longest = 0.0
        self.slices = []
        live = addon_module("capture.timer")
        pump = live.pump

        def timed_pump():
            started = time.perf_counter()
            wait = pump()
            self.slices.append(time.perf_counter() - started)
            return wait

        live.pump = timed_pump
        bpy.app.timers.register(self.measure)

    def measure(self):
        now = time.perf_counter()
        if self.last is not None and session() is not None and session().is_active:
            self.longest = max(self.longest, now - self.last)
        self.last = now
        return 0.0

    def report(self):
        slices = sorted(self.slices)
        print(
            f"{len(slices)} slices of work, the longest {1000 * slices[-1]:.0f} ms, 99 % below "
            f"{1000 * slices[len(slices) * 99 // 100]:.0f} ms; drawing included, the longest time without "
            f"reaction was {1000 * self.longest:.0f} ms"
        )


def timed_steps():
    stopwatch = Stopwatch()
    yield from steps()
    stopwatch.report()


drive(timed_steps())
