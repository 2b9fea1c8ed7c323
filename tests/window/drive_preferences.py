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

# Pixels on the screen, with the page at that place and Blender's factory layout.
LOCK_LOCATION = (1230, 417)
SET_UP = (900, 212)
NEXT_STEP = (930, 407)
USER_FIELD, PASSWORD_FIELD = (830, 487), (830, 508)
CANCEL = (1246, 404)
SELF_TEST = (930, 409)
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
    redraw()


def redraw():
    addon_module("setup_probe").forget()
    addon_module("tasks").pump()


def click(position):
    mouse("mousemove", *position)
    yield 0.5
    mouse("click", 1)
    yield 1.5


def invoke(operator, **properties):
    """Press a button whose place depends on what is above it: the dialog opens under the mouse."""
    mouse("mousemove", 850, 250)
    yield 0.3
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
        operator("INVOKE_DEFAULT", **properties)
    yield 1.5


def escape():
    mouse("key", "Escape")
    yield 1.0


def steps():
    main = bpy.context.window_manager.windows[0]
    area = next(area for area in main.screen.areas if area.type == "VIEW_3D")
    area.spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Human3R"
    area.tag_redraw()
    yield 1.5
    picture("1-sidebar")
    yield from click(LOCK_LOCATION)
    yield from click(SET_UP)
    yield 1.0
    assert len(bpy.context.window_manager.windows) == 2, "the sidebar's button did not open the preferences"
    mouse("search", "--name", "Preferences", "windowmove", *PAGE_PLACE, "windowsize", *PAGE_SIZE)
    yield 1.5
    picture("2-offline")
    bpy.context.preferences.system.use_online_access = True
    yield 3.0  # the machine is asked what fits it
    redraw()
    yield 1.0
    picture("3-fresh")
    yield from click(NEXT_STEP)
    yield 3.0
    picture("4-consent")
    yield from escape()
    assert addon_module("tasks").current() is None, "something was installed without consent"
    open_boxes("engine")
    yield 1.5
    picture("5-engine")
    settings().engine_python = str(PYTHON)
    open_boxes("model")
    yield 1.5
    picture("6-model")
    yield from invoke(bpy.ops.human3r.get_weights, name="896L")
    picture("7-licence")
    mouse("key", "Return")  # without having accepted
    yield 1.5
    assert addon_module("tasks").current() is None, "something was downloaded without acceptance"
    open_boxes("body", "help")
    yield 1.5
    picture("8-body")
    yield from invoke(bpy.ops.human3r.get_body)
    yield from type_login()
    picture("9-login")
    typed = addon_module("credentials")._typed
    assert typed == {"user": "somebody", "password": SECRET}, f"the fields hold {typed}"
    yield from escape()
    assert not any(typed.values()), "the login outlived its dialog"
    said = reports()
    assert "lock_location" in said, f"Blender lists no edits of fields here: {said!r}"
    assert SECRET not in said and "somebody" not in said, f"the login is among Blender's reports: {said}"
    open_boxes()
    yield from tasks_come_and_go()


def type_login():
    for position, text in ((USER_FIELD, "somebody"), (PASSWORD_FIELD, SECRET)):
        mouse("mousemove", *position)
        yield 0.3
        mouse("click", "--repeat", 2, "--delay", 60, 1)
        yield 0.5
        mouse("type", "--delay", 20, text)
        yield 0.3
        mouse("key", "Return")
        yield 0.7


def reports():
    """Everything that Blender's Info editor lists."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "DOPESHEET_EDITOR")
    area.ui_type = "INFO"
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.info.select_all(action="SELECT")
        bpy.ops.info.report_copy()
    return bpy.context.window_manager.clipboard


def begin(kind, title):
    background_task, tasks = addon_module("background_task"), addon_module("tasks")
    tasks.begin(lambda: background_task.ChildTask(title, [sys.executable, str(STAND_IN), kind]),
                lambda task: addon_module("setup_probe").forget())  # as the buttons do


def tasks_come_and_go():
    tasks = addon_module("tasks")
    begin("wait", "Getting 896L")
    yield 2.0
    picture("10-running")
    yield from click(CANCEL)
    yield 1.0
    assert tasks.current().state == "cancelled", tasks.current().state
    picture("11-cancelled")
    begin("refuse", "Getting 896L")
    yield 3.0
    assert tasks.current().error is not None
    picture("12-error")
    yield from invoke(bpy.ops.human3r.copy_diagnostics)
    report = bpy.context.window_manager.clipboard
    print(report)
    assert "wrong-hash" in report and "a warning" in report and str(Path.home()) not in report
    tasks.dismiss()
    redraw()
    yield 1.0
    yield from click(SELF_TEST)
    assert tasks.is_busy(), "the button did not start the self-test"
    mouse("mousemove", 850, 700)
    while tasks.is_busy():
        yield 0.5
    yield 1.0
    picture("13-self-test")
    weights = Path(os.environ["HUMAN3R_DATA"]) / "weights" / "672S.safetensors"
    weights.parent.mkdir(parents=True)  # what is seen from names, sizes and manifests
    weights.write_bytes(bytes(8))
    weights.with_suffix(".json").write_text('{"bytes": 8, "precision": "float16"}')
    tasks.dismiss()
    redraw()
    yield 1.0
    picture("14-ready")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
        bpy.ops.wm.window_close()
    addon_module("live").tag_redraw(("VIEW_3D", "UI"))
    yield 1.5
    picture("15-sidebar-ready")


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
