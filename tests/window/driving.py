# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts of this folder share: a mouse, a keyboard, pictures, and steps that Blender's timer runs.

The scripts `drive_*.py` work the add-on in a real Blender window, on a machine with Xvfb, xdotool and ImageMagick.
`test_windows.py` runs those that need nobody, and does by itself what follows. By hand:

    export HUMAN3R_PICTURES=pictures                   where the pictures go
    export BLENDER_USER_RESOURCES=$(mktemp -d)
    $HUMAN3R_BLENDER --command extension install-file --repo user_default --enable dist/human3r_blender-0.1.0.zip
    xvfb-run -a -s "-screen 0 1280x800x24" $HUMAN3R_BLENDER --window-geometry 0 0 1280 800 --python-exit-code 1 \\
        --python tests/window/drive_panel.py

HUMAN3R_BLENDER is the Blender program; what else a script needs is at its head. Then look at the pictures. A script
ends with exit code 1, and with a picture `failed.png`, when what it sees is not what the buttons should have done.

Steps are generators that yield the seconds to wait until the next step; on a busy machine they last longer, as
Blender's own loop does. Positions are pixels from the screen's top left corner, where the window is, too.
"""

import math
import os
import subprocess
import sys
import traceback
from itertools import chain
from pathlib import Path

import bpy

PICTURES = Path(os.environ["HUMAN3R_PICTURES"])
ROUNDS = 10
"""Of Blender's loop in each wait, at least: each handles what mouse and keyboard did, and draws."""


def drive(steps, in_slices=False):
    """Show the add-on's panels, run the steps and quit; whatever fails ends Blender with exit code 1.

    Long work is over when its operator returns, for steps that go on at once, unless they wait for slices.
    """
    if not in_slices:
        addon_module("blender.slices").AT_FIRST_S = math.inf

    def step():
        try:
            return next(everything)
        except StopIteration:
            bpy.ops.wm.quit_blender()
        except BaseException:
            traceback.print_exc()
            picture("failed")
            sys.stdout.flush()
            os._exit(1)

    everything = in_rounds(chain(open_sidebar(), steps))
    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(step, first_interval=3.0)


def in_rounds(steps):
    for seconds in steps:
        for _ in range(ROUNDS):
            yield seconds / ROUNDS


def open_sidebar():
    """The add-on's panels at the side of the 3D view."""
    area = viewport()
    area.spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Human3R"
    area.tag_redraw()
    yield 1.0


def empty_scene():
    """Remove what Blender starts with."""
    for name in ("Cube", "Light", "Camera"):
        bpy.data.objects.remove(bpy.data.objects[name])


def mouse(*arguments):
    """A command of xdotool, which the keyboard listens to as well."""
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def click(position, wait=1.0):
    mouse("mousemove", *position)
    yield 0.5
    mouse("click", 1)
    yield wait


def fill_in(position, text):
    """Type into a text field in place of what it holds."""
    mouse("mousemove", *position)
    yield 0.3
    mouse("click", "--repeat", 2, "--delay", 60, 1)
    yield 0.6
    mouse("type", "--delay", 20, text)
    yield 0.5
    mouse("key", "Return")
    yield 0.7


def picture(name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["import", "-window", "root", str(PICTURES / f"{name}.png")], check=True)


def viewport():
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")


def run(operator, *arguments, **properties):
    """What an operator, or a function, returns that is called with the 3D view as its context."""
    area = viewport()
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region):
        return operator(*arguments, **properties)


def look_at(person, bone, distance):
    """Turn about a person's joint, from so many metres away, without the points of the place."""
    view = viewport().spaces.active.region_3d
    view.view_location = person.matrix_world @ person.pose.bones[bone].head
    view.view_distance = distance
    for item in bpy.context.scene.objects:
        item.hide_set(item.get("human3r_role") == "points")


def panel_picture(name, panel):
    """Picture of a panel, which opens where the mouse is."""
    run(bpy.ops.wm.call_panel, "INVOKE_DEFAULT", name=panel)
    yield 1.5
    picture(name)
    mouse("key", "Escape")
    yield 0.5


def addon_module(name):
    return next(module for path, module in sys.modules.items() if path.endswith(f".human3r_blender.{name}"))


def session():
    """The add-on's run, or None before the first."""
    return addon_module("capture.session").current()


def wait_for_end(phase="complete"):
    while session().is_active:
        yield 0.2
    assert session().progress.phase == phase, (session().progress.phase, session().error)


def import_take(path):
    """All of a take, in a scene that holds nothing else."""
    empty_scene()
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=str(path))
    yield from wait_for_end()
