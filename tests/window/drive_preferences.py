# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the preferences page in a real Blender window with the mouse and the keyboard, and takes pictures of it.

Run by hand as `drive_panel.py` says, with this script instead of that one, and with

    export HUMAN3R_DATA=$(mktemp -d)                        a data folder with nothing in it
    export HUMAN3R_PYTHON=.environments/engine/bin/python   a Python that has the engine's packages

and without HUMAN3R_ENGINE_PYTHON. Where those packages cannot run, give HUMAN3R_PYTHON another Python. Nothing is
downloaded: the task in progress is the test suite's stand-in. The script ends with exit code 1 when what it sees is
not what the buttons should have done.
"""

import os
import subprocess
import sys
import traceback
from pathlib import Path

import bpy

PICTURES = Path(os.environ["HUMAN3R_PICTURES"])
PYTHON = Path(os.environ["HUMAN3R_PYTHON"]).absolute()
STAND_IN = Path(__file__).resolve().parents[1] / "blender" / "ui" / "stand_in_task.py"
PAGE_PLACE, PAGE_SIZE = (420, 0), (860, 800)
SECRET = "opensesame"


def mouse(*arguments):
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def picture(name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["import", "-window", "root", str(PICTURES / f"{name}.png")], check=True)


def addon_module(name):
    return next(module for path, module in sys.modules.items() if path.endswith(f".human3r_blender.{name}"))


def settings():
    return addon_module("preferences").read()


def open_boxes(*names):
    """Open these boxes of the page and close the others."""
    for name in ("engine", "model", "body", "help"):
        setattr(settings(), f"show_{name}", name in names)


def steps():
    manager = bpy.context.window_manager
    main = manager.windows[0]
    area = next(area for area in main.screen.areas if area.type == "VIEW_3D")
    area.spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Human3R"
    yield 1.5
    picture("1-sidebar")
    with bpy.context.temp_override(window=main):
        bpy.ops.human3r.show_preferences()
    yield 1.5
    mouse("search", "--name", "Preferences", "windowmove", *PAGE_PLACE, "windowsize", *PAGE_SIZE)
    yield 1.5
    picture("2-offline")
    bpy.context.preferences.system.use_online_access = True
    yield 4.0
    picture("3-fresh")
    open_boxes("engine")
    yield 1.5
    picture("4-engine")
    open_boxes("model")
    yield 1.5
    picture("5-model")
    open_boxes("body", "help")
    yield 1.5
    picture("6-body")


class Driver:
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
