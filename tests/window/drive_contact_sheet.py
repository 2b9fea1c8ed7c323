# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the sidebar into each of its states in a real Blender window, all panels open, and takes pictures of it.

`test_windows.py` runs it, and `contact_sheet.py` makes one sheet of the pictures. It needs a window that is tall
enough for all panels, and

    export HUMAN3R_VIDEO=walk.mp4 HUMAN3R_ENGINE_PYTHON=.environments/engine/bin/python
    export HUMAN3R_TAKE=truth.h3r HUMAN3R_SECOND_TAKE=lost.h3r      the second one's footage is gone
    export HUMAN3R_CHARACTER=hero.blend                             see `drive_retarget.py`
"""

import os
import subprocess
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from driving import (
    PICTURES,
    addon_module,
    drive,
    empty_scene,
    mouse,
    panels,
    run,
    session,
    sidebar,
    viewport,
    wait_for_end,
)

VIDEO, TAKE, SECOND, CHARACTER = (
    Path(os.environ[f"HUMAN3R_{name}"]).resolve() for name in ("VIDEO", "TAKE", "SECOND_TAKE", "CHARACTER")
)
STAND_IN = Path(__file__).resolve().parents[1] / "blender" / "setup" / "stand_in_task.py"
THEMES = ("dark", "light")
FRAMES = 10
ALWAYS = ("HUMAN3R_PT_capture", "HUMAN3R_PT_takes", "HUMAN3R_PT_presets")
MORE = {"settings": "capture", "scenes": "sections"}
"""Panels that are in all pictures, and the packages of those that are in some: all at once would be too tall."""
shown = []


def open_panels(kind):
    """Register panels again as ones that are open: those for pictures of runs, of settings or of scenes."""
    for cls in reversed(panels()):
        if cls.is_registered:
            bpy.utils.unregister_class(cls)
    for cls in panels():
        cls.bl_options = set(getattr(cls, "bl_options", ())) - {"DEFAULT_CLOSED"}
        if cls.__name__ in ALWAYS or f".{MORE.get(kind)}." in cls.__module__:
            bpy.utils.register_class(cls)


def use_theme(name):
    if name == "dark":
        bpy.ops.preferences.reset_default_theme()
        return
    folder = Path(bpy.utils.system_resource("SCRIPTS")) / "presets" / "interface_theme"
    bpy.ops.script.execute_preset(
        filepath=str(next(folder.glob("*Light.xml"))), menu_idname="USERPREF_MT_interface_theme_presets"
    )


def state(name):
    """Picture of the sidebar in both themes, while the run, if there is one, waits."""
    timer, tag_redraw = addon_module("capture.timer"), addon_module("blender.sidebar").tag_redraw
    is_waiting = bpy.app.timers.is_registered(timer.pump)
    if is_waiting:
        bpy.app.timers.unregister(timer.pump)
    shown.append(name)
    for theme in THEMES:
        use_theme(theme)
        tag_redraw(("VIEW_3D", "UI"))
        yield 1.5
        take_sidebar(f"{theme}-{len(shown):02d}-{name}")
    if is_waiting:
        bpy.app.timers.register(timer.pump)


def take_sidebar(name):
    region, window = sidebar(), bpy.context.window_manager.windows[0]
    top = window.height - region.y - region.height
    crop = f"{region.width}x{region.height}+{region.x}+{top}"
    subprocess.run(
        ["import", "-window", "root", "-crop", crop, "+repage", str(PICTURES / f"{name}.png")],
        check=True,
    )


def choose(path):
    """Choose footage, and wait until it is known what it is like."""
    bpy.context.scene.human3r.source = str(path)
    yield 1.0
    addon_module("blender.sidebar").tag_redraw(("VIEW_3D", "UI"))
    while addon_module("capture.footage_facts").of(str(path)) is None:
        yield 0.2
    yield 1.0


def before_a_run():
    choices, probe = addon_module("setup.choices"), addon_module("setup.probe")
    choices.read().engine_python = "/no/engine"
    probe.forget()
    yield from state("no engine")
    yield from setting_up()
    choices.read().engine_python = ""
    probe.forget()
    yield from state("empty")
    yield from choose(VIDEO.with_name("absent.mp4"))
    yield from state("no footage")
    yield from choose(VIDEO)
    yield from state("chosen")
    bpy.context.scene.human3r.model_source = "RECIPE"
    yield from state("alert")
    bpy.context.scene.human3r.model_source = "DEFAULT"


def setting_up():
    tasks, background_task = addon_module("setup.tasks"), addon_module("setup.background_task")
    tasks.begin(lambda: background_task.ChildTask("Getting 896L", [sys.executable, str(STAND_IN), "wait"]))
    yield 2.0
    yield from state("setting up")
    tasks.current().cancel()
    while tasks.is_busy():
        yield 0.2
    tasks.dismiss()


def runs():
    settings = bpy.context.scene.human3r
    settings.end = FRAMES
    run(bpy.ops.human3r.start_capture, "EXEC_DEFAULT")
    yield 2.0
    yield from state("loading")
    while session().progress.frames_done < FRAMES // 2:
        assert session().is_active, session().error
        yield 0.2
    yield from state("running")
    run(bpy.ops.human3r.cancel_capture)
    yield from state("canceling")
    yield from wait_for_end("cancelled")
    yield from state("canceled")
    run(bpy.ops.human3r.resume_capture)
    yield from wait_for_end()
    yield from state("done")
    run(bpy.ops.human3r.preview_capture, "EXEC_DEFAULT", placement="REPLACE")
    yield from wait_for_end()
    yield from state("preview")
    yield from choose(VIDEO.with_name("absent.mp4"))
    run(bpy.ops.human3r.start_capture, "EXEC_DEFAULT")
    yield from wait_for_end("failed")
    yield from state("error")


def scenes():
    """One take and two of them, nobody selected and somebody, with a character."""
    yield from choose(VIDEO)
    bpy.ops.scene.new(type="EMPTY")
    open_panels("settings")
    yield from state("settings")
    open_panels("scenes")
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=str(TAKE))
    yield from wait_for_end()
    run(bpy.ops.object.select_all, action="DESELECT")
    bpy.context.view_layer.objects.active = None
    yield from state("one take")
    person = next(item for item in bpy.context.scene.objects if item.get("human3r_role") == "armature")
    character = bring(CHARACTER)
    settings = bpy.context.scene.human3r_retarget
    settings.source, settings.character = person, character
    run(bpy.ops.human3r.retarget, "INVOKE_DEFAULT", True)
    yield 1.0
    run(bpy.ops.human3r.select_person, name=person.name)
    run(bpy.ops.object.mode_set, mode="POSE")
    person.data.bones.active = person.data.bones["left_wrist"]
    run(bpy.ops.human3r.mark_contact, "INVOKE_DEFAULT", True)
    yield from state("pose mode, retargeted")
    run(bpy.ops.object.mode_set, mode="OBJECT")
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=str(SECOND))
    yield from wait_for_end()
    for item in bpy.context.scene.objects:
        if item.get("human3r_role") == "armature":
            item.select_set(True)
            bpy.context.view_layer.objects.active = item  # in the end one of the second take
    run(bpy.ops.human3r.play_camera_view)
    run(bpy.ops.screen.animation_cancel, restore_frame=False)
    yield from state("two takes")


def bring(path):
    with bpy.data.libraries.load(str(path), link=False) as (there, wanted):
        wanted.objects = list(there.objects)
    item = next(item for item in wanted.objects if item.type == "ARMATURE")
    bpy.context.scene.collection.objects.link(item)
    return item


def steps():
    empty_scene()
    mouse("mousemove", 300, 300)
    viewport().spaces.active.shading.type = "WIREFRAME"  # what is drawn in a tall window without a graphics card
    yield from before_a_run()
    yield from runs()
    yield from scenes()


bpy.context.preferences.system.use_region_overlap = False
open_panels("runs")
drive(steps())
