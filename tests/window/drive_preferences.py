# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the preferences page in a real Blender window with the mouse and the keyboard, and takes pictures of it.

Run by hand as `driving.py` says, with

    export HUMAN3R_DATA=$(mktemp -d)                        a data folder with nothing in it, its path a short one
    export HUMAN3R_PYTHON=.environments/engine/bin/python   a Python that has the engine's packages

and without HUMAN3R_ENGINE_PYTHON. Where those packages cannot run, give HUMAN3R_PYTHON another Python. Nothing is
downloaded: the task in progress is the test suite's stand-in.
"""

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from driving import Place, addon_module, click, drive, fill_in, mouse, picture, press

PYTHON = Path(os.environ["HUMAN3R_PYTHON"]).absolute()
STAND_IN = Path(__file__).resolve().parents[1] / "blender" / "setup" / "stand_in_task.py"
PAGE_PLACE, PAGE_SIZE = (420, 0), (860, 800)

# Pixels on the screen, with the page at that place and Blender's factory layout.
ONLINE_ACCESS = (616, 405)
"""The checkbox on the page; Blender tells no data path of its own preferences to find it by."""
LOCK_LOCATION = (1230, 417)
USER_FIELD, PASSWORD_FIELD = (830, 487), (830, 508)
SECRET = "opensesame"


def settings():
    return addon_module("setup.choices").read()


def open_boxes(*names):
    """Open these boxes of the page and close the others."""
    for name in ("engine", "model", "body", "help"):
        setattr(settings(), f"show_{name}", name in names)
    redraw()


def page():
    """Where the buttons of the preferences are."""
    window = bpy.context.window_manager.windows[-1]
    area = window.screen.areas[0]
    region = next(region for region in area.regions if region.type == "WINDOW")
    return Place(window, area, region, PAGE_PLACE)


def redraw():
    addon_module("setup.probe").forget()
    addon_module("setup.tasks").pump()


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
    yield 0.5  # until the sidebar is drawn
    picture("1-sidebar")
    yield from click(LOCK_LOCATION, wait=1.5)
    yield from press("human3r.show_preferences", wait=1.5)
    yield 1.0
    assert len(bpy.context.window_manager.windows) == 2, "the sidebar's button did not open the preferences"
    mouse("search", "--name", "Preferences", "windowmove", *PAGE_PLACE, "windowsize", *PAGE_SIZE)
    yield 1.5
    picture("2-offline")
    yield from click(ONLINE_ACCESS)
    assert bpy.context.preferences.system.use_online_access, "the page's checkbox did not allow online access"
    yield 3.0  # the machine is asked what fits it
    redraw()
    yield 1.0
    picture("3-fresh")
    yield from press("human3r.install_engine", wait=1.5, place=page())
    yield 3.0
    picture("4-consent")
    yield from escape()
    assert addon_module("setup.tasks").current() is None, "something was installed without consent"
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
    assert addon_module("setup.tasks").current() is None, "something was downloaded without acceptance"
    open_boxes("body", "help")
    yield 1.5
    picture("8-body")
    yield from escape()  # from what Blender reported, which lies where the next dialog opens
    yield from invoke(bpy.ops.human3r.get_body)
    yield from type_login()
    picture("9-login")
    typed = addon_module("setup.credentials")._typed
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
        yield from fill_in(position, text)


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
    background_task, tasks = addon_module("setup.background_task"), addon_module("setup.tasks")
    tasks.begin(
        lambda: background_task.ChildTask(title, [sys.executable, str(STAND_IN), kind]),
        lambda task: addon_module("setup.probe").forget(),
    )  # as the buttons do


def tasks_come_and_go():
    tasks = addon_module("setup.tasks")
    begin("wait", "Getting 896L")
    yield 2.0
    picture("10-running")
    yield from press("human3r.cancel_task", across=0.955, wait=1.5, place=page())
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
    yield from press("human3r.self_test", wait=1.5, place=page())
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
    addon_module("blender.sidebar").tag_redraw(("VIEW_3D", "UI"))
    yield 1.5
    picture("15-sidebar-ready")


drive(steps())
