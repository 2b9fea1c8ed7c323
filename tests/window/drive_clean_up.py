# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the clean-up in a real Blender window, and takes pictures of its panel and of the contact marks.

Run by hand as `drive_panel.py` says, with this script instead of that one, and with

    export HUMAN3R_TAKE=outputs/truth.h3r                   a take; `python3 build.py demo` makes this one

in place of HUMAN3R_VIDEO; no engine is needed. Then look at the pictures. The script ends with exit code 1 when what it
sees is not what the buttons should have done.
"""

import os
import subprocess
import sys
import traceback
from pathlib import Path

import bpy

PICTURES = Path(os.environ["HUMAN3R_PICTURES"])
TAKE = Path(os.environ["HUMAN3R_TAKE"]).resolve()
FRAME = int(os.environ.get("HUMAN3R_FRAME", "30"))


def picture(name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["import", "-window", "root", str(PICTURES / f"{name}.png")], check=True)


def viewport():
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")


def run(operator, *arguments, **properties):
    area = viewport()
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region):
        return operator(*arguments, **properties)


def addon_module(name):
    return next(module for path, module in sys.modules.items() if path.endswith(f".human3r_blender.{name}"))


def look_at_feet(person):
    """From close by, without the points of the place."""
    view = viewport().spaces.active.region_3d
    view.view_location = person.matrix_world @ person.pose.bones["left_foot"].head
    view.view_distance = 1.6
    for item in bpy.context.scene.objects:
        item.hide_set(item.get("human3r_role") == "points")


def panel(name):
    """Picture of the panel, which opens where the mouse is."""
    run(bpy.ops.wm.call_panel, "INVOKE_DEFAULT", name="HUMAN3R_PT_clean_up")
    yield 1.5
    picture(name)
    subprocess.run(["xdotool", "key", "Escape"], check=True)
    yield 0.5


def steps():
    """What a person does, with the seconds to wait in between."""
    area = viewport()
    area.spaces.active.show_region_ui = True
    subprocess.run(["xdotool", "mousemove", "300", "300"], check=True)
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Human3R"
    for name in ("Cube", "Light", "Camera"):
        bpy.data.objects.remove(bpy.data.objects[name])
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=str(TAKE))
    session, versions = addon_module("session"), addon_module("scene.versions")
    while session.current().is_active:
        yield 0.3
    assert session.current().progress.phase == "complete", session.current().error
    people = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    assert people and {versions.shown(item) for item in people} == {"clean"}
    scene = bpy.context.scene
    scene.frame_set(FRAME)
    look_at_feet(people[0])
    yield 1.5
    picture("1-imported")
    yield from panel("2-panel-clean")
    run(bpy.ops.human3r.show_version, version="RAW")
    yield 1.0
    picture("3-raw")
    yield from panel("4-panel-raw")
    run(bpy.ops.human3r.show_version, version="LIVE")
    run(bpy.ops.human3r.clean_up, "INVOKE_DEFAULT", True, strength=1.0)
    yield 1.0
    assert {versions.settings_of(item).strength for item in people} == {1.0}
    run(bpy.ops.human3r.show_contacts, show=False)
    yield 1.0
    picture("5-strong-without-marks")
    run(bpy.ops.human3r.show_contacts, show=True)
    bpy.context.view_layer.objects.active = people[0]
    people[0].select_set(True)
    area.type = "DOPESHEET_EDITOR"
    area.spaces.active.mode = "ACTION"
    yield 1.5
    picture("6-actions")
    area.type = "VIEW_3D"
    yield 1.0
    before = len(bpy.data.actions)
    bpy.ops.ed.undo()
    yield 1.0
    assert len(bpy.data.actions) <= before


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
