# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the clean-up in a real Blender window, and takes pictures of its panel and of the contact marks.

Run by hand as `driving.py` says, with

    export HUMAN3R_TAKE=outputs/truth.h3r                   a take; `python3 build.py demo` makes this one

No engine is needed.
"""

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from driving import addon_module, drive, import_take, look_at, mouse, panel_picture, picture, run, viewport

TAKE = Path(os.environ["HUMAN3R_TAKE"]).resolve()
FRAME = int(os.environ.get("HUMAN3R_FRAME", "30"))


def steps():
    """What a person does, with the seconds to wait in between."""
    mouse("mousemove", 300, 300)
    yield from import_take(TAKE)
    versions = addon_module("person.versions")
    people = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    assert people and {versions.shown(item) for item in people} == {"clean"}
    scene = bpy.context.scene
    scene.frame_set(FRAME)
    look_at(people[0], "left_foot", 1.6)
    run(bpy.ops.human3r.show_contacts, show=True)
    yield 1.5
    picture("1-imported")
    yield from panel_picture("2-panel-clean", "HUMAN3R_PT_clean_up")
    run(bpy.ops.human3r.show_version, version="RAW")
    yield 1.0
    picture("3-raw")
    yield from panel_picture("4-panel-raw", "HUMAN3R_PT_clean_up")
    run(bpy.ops.human3r.show_version, version="LIVE")
    run(bpy.ops.human3r.clean_up, "INVOKE_DEFAULT", True, strength=1.0)
    yield from until_it_is_done()
    assert {versions.settings_of(item).strength for item in people} == {1.0}
    run(bpy.ops.human3r.show_contacts, show=False)
    yield 1.0
    picture("5-strong-without-marks")
    run(bpy.ops.human3r.show_contacts, show=True)
    bpy.context.view_layer.objects.active = people[0]
    people[0].select_set(True)
    area = viewport()
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
    yield from contacts_by_hand()


def until_it_is_done():
    """What a button began goes on a few milliseconds at a time."""
    yield 0.5
    while addon_module("blender.slices").is_at_work():
        yield 0.2
    yield 1.0


def contacts_by_hand():
    """A hand that rests, as the bone in Pose Mode says which, and that is free again after an undo."""
    contacts, scene = addon_module("person.contacts"), bpy.context.scene
    name = next(item.name for item in scene.objects if item.type == "ARMATURE")
    run(bpy.ops.human3r.select_person, name=name)
    scene.frame_set(FRAME)
    look_at(bpy.data.objects[name], "left_wrist", 1.6)
    yield from panel_picture("7-panel-contacts", "HUMAN3R_PT_contacts")
    run(bpy.ops.object.mode_set, mode="POSE")
    bpy.data.objects[name].data.bones.active = bpy.data.objects[name].data.bones["left_wrist"]
    run(bpy.ops.human3r.mark_contact, "INVOKE_DEFAULT", True)
    yield from until_it_is_done()
    assert [(edit.limb, edit.first) for edit in contacts.read(bpy.data.objects[name])] == [("left_hand", FRAME)]
    yield 1.0
    picture("8-hand-rests")
    yield from panel_picture("9-panel-contacts-of-a-bone", "HUMAN3R_PT_contacts")
    bpy.ops.ed.undo()
    yield 1.0
    assert contacts.read(bpy.data.objects[name]) == ()


drive(steps())
