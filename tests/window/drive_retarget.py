# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives retargeting in a real Blender window, and takes pictures of its panel and of what the character does.

Run by hand as `driving.py` says, with

    export HUMAN3R_TAKE=outputs/truth.h3r          a take; `python3 build.py demo` makes this one
    export HUMAN3R_CHARACTER=hero.blend            a rig; tests/blender/retarget/generate_rigify.py makes one

No engine is needed.
"""

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from driving import drive, import_take, look_at, mouse, panel_picture, picture, run

TAKE = Path(os.environ["HUMAN3R_TAKE"]).resolve()
CHARACTER = Path(os.environ["HUMAN3R_CHARACTER"]).resolve()
FRAME = int(os.environ.get("HUMAN3R_FRAME", "40"))


def bring(path):
    with bpy.data.libraries.load(str(path), link=False) as (there, wanted):
        wanted.objects = list(there.objects)
    item = next(item for item in wanted.objects if item.type == "ARMATURE")
    bpy.context.scene.collection.objects.link(item)
    return item


def steps():
    """What a person does, with the seconds to wait in between."""
    mouse("mousemove", 300, 300)
    yield from import_take(TAKE)
    yield from panel_picture("1-panel-empty", "HUMAN3R_PT_retarget")
    person = next(item for item in bpy.context.scene.objects if item.type == "ARMATURE")
    item = bring(CHARACTER)
    bpy.context.scene.frame_set(FRAME)
    look_at(person, "pelvis", 5.0)
    settings = bpy.context.scene.human3r_retarget
    settings.source, settings.character = person, item
    yield 1.0
    assert run(bpy.ops.human3r.retarget_find_bones, "INVOKE_DEFAULT", True) == {"FINISHED"}
    yield from panel_picture("2-panel-found", "HUMAN3R_PT_retarget")
    yield from panel_picture("3-bones", "HUMAN3R_PT_retarget_bones")
    assert run(bpy.ops.human3r.retarget, "INVOKE_DEFAULT", True) == {"FINISHED"}
    yield 1.0
    picture("4-fk")
    yield from panel_picture("5-panel-done", "HUMAN3R_PT_retarget")
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
    yield from panel_picture("8-own-preset", "HUMAN3R_PT_retarget")


drive(steps())
