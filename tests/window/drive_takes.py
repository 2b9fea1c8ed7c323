# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the section Takes, the question about a second take, and the list of people, in a real window.

Run by hand as `driving.py` says, with a take of two or more people whose footage is gone, and another:

    export HUMAN3R_TAKE=walk.h3r HUMAN3R_SECOND_TAKE=run.h3r HUMAN3R_ENGINE_PYTHON=.environments/engine/bin/python
"""

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from driving import drive, empty_scene, mouse, panel_picture, picture, run, wait_for_end

TAKE, SECOND = (str(Path(os.environ[name]).resolve()) for name in ("HUMAN3R_TAKE", "HUMAN3R_SECOND_TAKE"))


def people():
    return [item for item in bpy.context.scene.objects if item.get("human3r_role") == "armature"]


def steps():
    empty_scene()
    yield from panel_picture("1-takes-empty-capture", "HUMAN3R_PT_capture")
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=TAKE)
    yield from wait_for_end()
    yield from panel_picture("2-takes", "HUMAN3R_PT_takes")
    yield from panel_picture("2b-takes-footage-missing", "HUMAN3R_PT_takes")
    mouse("mousemove", 500, 400)
    run(bpy.ops.human3r.import_take, "INVOKE_DEFAULT", filepath=SECOND)
    yield 1.5
    picture("3-second-take")
    mouse("key", "Escape")
    yield 1.0
    assert len({item["human3r_take"] for item in people()}) == 1, "Escape brings nobody in"
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=SECOND)
    yield from wait_for_end()
    assert len({item["human3r_take"] for item in people()}) == 2
    yield from panel_picture("4-people-of-two-takes", "HUMAN3R_PT_people")
    bpy.context.view_layer.objects.active = people()[0]
    people()[0].select_set(True)
    run(bpy.ops.human3r.rename_person, "EXEC_DEFAULT", name="Anna")
    yield from panel_picture("5-takes-of-two", "HUMAN3R_PT_takes")
    yield from panel_picture("6-edit", "HUMAN3R_PT_edit_people")
    mouse("mousemove", 500, 400)
    run(bpy.ops.human3r.save_to_take, "INVOKE_DEFAULT")
    yield 1.5
    picture("7-save-to-take")
    mouse("key", "Return")
    yield 6.0
    yield from panel_picture("8-saved", "HUMAN3R_PT_edit_people")
    run(bpy.ops.human3r.import_take, "INVOKE_DEFAULT")
    yield 2.5
    picture("9-browser")
    yield 0.5


drive(steps())
