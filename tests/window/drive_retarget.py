# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives retargeting in a real Blender window, and takes pictures of its panel and of what the character does.

Run by hand as `drive_panel.py` says, with this script instead of that one, and with

    export HUMAN3R_TAKE=outputs/truth.h3r          a take; `python3 build.py demo` makes this one
    export HUMAN3R_CHARACTER=hero.blend            a rig; tests/blender/retarget/generate_rigify.py makes one

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
CHARACTER = Path(os.environ["HUMAN3R_CHARACTER"]).resolve()
FRAME = int(os.environ.get("HUMAN3R_FRAME", "40"))


def picture(name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["import", "-window", "root", str(PICTURES / f"{name}.png")], check=True)


def mouse(*arguments):
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def viewport():
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")


def run(operator, *arguments, **properties):
    area = viewport()
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region):
        return operator(*arguments, **properties)


def addon_module(name):
    return next(module for path, module in sys.modules.items() if path.endswith(f".human3r_blender.{name}"))


def panel(name, title):
    """Picture of a panel, which opens where the mouse is."""
    run(bpy.ops.wm.call_panel, "INVOKE_DEFAULT", name=title)
    yield 1.5
    picture(name)
    mouse("key", "Escape")
    yield 0.5


def bring(path):
    with bpy.data.libraries.load(str(path), link=False) as (there, wanted):
        wanted.objects = list(there.objects)
    item = next(item for item in wanted.objects if item.type == "ARMATURE")
    bpy.context.scene.collection.objects.link(item)
    return item


def look_at(person):
    view = viewport().spaces.active.region_3d
    view.view_location = person.matrix_world @ person.pose.bones["pelvis"].head
    view.view_distance = 5.0
    for item in bpy.context.scene.objects:
        item.hide_set(item.get("human3r_role") == "points")


def steps():
    """What a person does, with the seconds to wait in between."""
    area = viewport()
    area.spaces.active.show_region_ui = True
    mouse("mousemove", 300, 300)
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Human3R"
    for name in ("Cube", "Light", "Camera"):
        bpy.data.objects.remove(bpy.data.objects[name])
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=str(TAKE))
    session = addon_module("session")
    while session.current().is_active:
        yield 0.3
    assert session.current().progress.phase == "complete", session.current().error
    yield from panel("1-panel-empty", "HUMAN3R_PT_retarget")
    person = next(item for item in bpy.context.scene.objects if item.type == "ARMATURE")
    item = bring(CHARACTER)
    bpy.context.scene.frame_set(FRAME)
    look_at(person)
    settings = bpy.context.scene.human3r_retarget
    settings.source, settings.character = person, item
    yield 1.0
    assert run(bpy.ops.human3r.retarget_find_bones, "INVOKE_DEFAULT", True) == {"FINISHED"}
    yield from panel("2-panel-found", "HUMAN3R_PT_retarget")
    yield from panel("3-bones", "HUMAN3R_PT_retarget_bones")
    assert run(bpy.ops.human3r.retarget, "INVOKE_DEFAULT", True) == {"FINISHED"}
    yield 1.0
    picture("4-fk")
    yield from panel("5-panel-done", "HUMAN3R_PT_retarget")
    name = item.name
    bpy.ops.ed.undo()
    yield 1.0
    data = bpy.data.objects[name].animation_data
    assert data is None or data.action is None, "undo left the Action on the character"
    bpy.ops.ed.redo()
    yield 1.0
    assert bpy.data.objects[name].animation_data.action is not None
    bpy.context.scene.human3r_retarget.controls = "IK"
    assert run(bpy.ops.human3r.retarget, "INVOKE_DEFAULT", True) == {"FINISHED"}
    yield 1.0
    picture("6-ik")
    mouse("mousemove", 400, 300)
    run(bpy.ops.human3r.retarget_save_preset, "INVOKE_DEFAULT")
    yield 1.0
    picture("7-save-preset")
    mouse("key", "Return")
    yield 1.0
    settings = bpy.context.scene.human3r_retarget
    assert settings.preset == "My Rig", settings.preset
    yield from panel("8-own-preset", "HUMAN3R_PT_retarget")


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
