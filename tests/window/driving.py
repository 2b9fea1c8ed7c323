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
from typing import NamedTuple

import bpy

PICTURES = Path(os.environ["HUMAN3R_PICTURES"])
ROUNDS = 10
"""Of Blender's loop in each wait, at least: each handles what mouse and keyboard did, and draws."""
STEP = 8
"""Pixels from one look for a button to the next: less than half a button's height."""
HEADINGS_FROM, HEADING_HEIGHT = 15, 28
"""Pixels from the sidebar's top to the middle of the first heading, and from one closed panel's heading to the next."""


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
    bpy.app.timers.register(step, first_interval=3.0, persistent=True)


def in_rounds(steps):
    for seconds in steps:
        for _ in range(ROUNDS):
            yield seconds / ROUNDS


def open_sidebar():
    """The add-on's panels at the side of the 3D view."""
    viewport().spaces.active.show_region_ui = True
    yield 1.0
    sidebar().active_panel_category = "Human3R"
    viewport().tag_redraw()
    yield 1.0


def sidebar():
    """The region with the add-on's panels."""
    return next(region for region in viewport().regions if region.type == "UI")


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


class Place(NamedTuple):
    """A region to look for buttons in, and where its window is on the screen."""

    window: bpy.types.Window
    area: bpy.types.Area
    region: bpy.types.Region
    corner: tuple[int, int] = (0, 0)

    def on_screen(self, across, down):
        """Pixels on the screen: so much of the width from the left, and so many pixels below the region's top."""
        region, (left, top) = self.region, self.corner
        above = self.window.height - region.y - region.height
        return left + region.x + round(across * region.width), top + above + down

    def under_mouse(self):
        """Command or data path of the button under the mouse, as Blender copies them; empty where there is none."""
        copies = ((bpy.ops.ui.copy_python_command_button, {}), (bpy.ops.ui.copy_data_path_button, {"full_path": False}))
        with bpy.context.temp_override(window=self.window, area=self.area, region=self.region):
            for copy, options in copies:
                if copy.poll():
                    copy(**options)
                    return bpy.context.window_manager.clipboard
        return ""


def in_sidebar():
    return Place(bpy.context.window_manager.windows[0], viewport(), sidebar())


def find(button, across=0.25, place=None):
    """Where on the screen an operator's or a property's button is, such as "human3r.source": found under the mouse.

    `across`: how far from the left to look, as a share of the width of the sidebar or the given place.
    """
    place = place or in_sidebar()
    for down in range(STEP, place.region.height, STEP):
        mouse("mousemove", *place.on_screen(across, down))
        yield 0.05
        if button in place.under_mouse():
            return place.on_screen(across, down + STEP // 2)
    raise AssertionError(f"no button {button} is shown")


def press(button, across=0.25, wait=1.0, place=None):
    """Click on a button, wherever it is."""
    yield from click((yield from find(button, across, place)), wait)


def panels():
    """All of the tab Human3R, in the order in which the add-on registers them."""
    classes = [cls for module in addon_module("human3r_blender").MODULES for cls in getattr(module, "CLASSES", ())]
    return [cls for cls in classes if issubclass(cls, bpy.types.Panel) and getattr(cls, "bl_category", "") == "Human3R"]


def is_shown(panel):
    return not hasattr(panel, "poll") or run(lambda: panel.poll(bpy.context))


def close_all():
    """Close the panels of the tab that are open to begin with: the upper ones first, so that each is in its place."""
    for panel in top_panels():
        if "DEFAULT_CLOSED" not in getattr(panel, "bl_options", ()):
            yield from click(heading(panel.bl_label))


def top_panels():
    """The panels of the tab that are shown now, without those inside another one."""
    return [panel for panel in panels() if not getattr(panel, "bl_parent_id", "") and is_shown(panel)]


def heading(title):
    """Where a panel's heading is while all of them are closed."""
    titles = [panel.bl_label for panel in top_panels()]
    return in_sidebar().on_screen(1 / 3, HEADINGS_FROM + HEADING_HEIGHT * titles.index(title))


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
