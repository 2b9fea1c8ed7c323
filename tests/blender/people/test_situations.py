# SPDX-License-Identifier: GPL-3.0-or-later
"""Every tool for people in every state that a user's file may be in: it does its work, or says why not in one error.

Whatever happens, nothing outside the person's own family changes: all F-curves there are compared before and after.
"""

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.person import contacts, family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions

from .situations import (
    SITUATIONS,
    appended_twice,
    curves_outside,
    excluded,
    full_copy,
    in_edit_mode,
    in_pose_mode,
    in_tweak_mode,
    linked,
    overridden,
    pick,
)  # fmt: skip

human3r = bpy.ops.human3r


def work(item):
    """Every tool with the person chosen: what it is called by, and the call."""
    return {
        "clean_up": lambda: human3r.clean_up(everyone=False),
        "compare_versions": lambda: human3r.compare_versions(),
        "show_version": lambda: human3r.show_version(version="RAW", everyone=False),
        "color_people": lambda: human3r.color_people(everyone=False),
        "paint_people": lambda: human3r.paint_people(),
        "show_contacts": lambda: human3r.show_contacts(),
        "mark_contact": lambda: human3r.mark_contact(limb="LEFT_HAND"),
        "free_contact": lambda: human3r.free_contact(limb="LEFT_FOOT"),
        "move_contact": lambda: human3r.move_contact(limb="RIGHT_FOOT", edge="START"),
        "reset_contact": lambda: human3r.reset_contact(everything=True),
        "bake_correctives": lambda: human3r.bake_correctives(),
        "fill_gaps": lambda: human3r.fill_gaps(),
        "hide_people": lambda: human3r.hide_people(),
        "show_people": lambda: human3r.show_people(),
        "rename_person": lambda: human3r.rename_person(name="Anna"),
        "split_people": lambda: human3r.split_people(),
        "swap_people": lambda: human3r.swap_people(),
        "merge_people": lambda: human3r.merge_people(other="0"),
        "found_ground": lambda: human3r.found_ground(),
        "set_scale": lambda: human3r.set_scale(),
        "floor_from_cursor": lambda: human3r.floor_from_cursor(),
        "face_camera": lambda: human3r.face_camera(),
        "delete_people": lambda: human3r.delete_people(),
    }


TOOLS = tuple(work_name for work_name in (
    "clean_up", "compare_versions", "show_version", "color_people", "paint_people", "show_contacts",
    "bake_correctives", "fill_gaps", "hide_people", "show_people", "rename_person", "split_people", "swap_people",
    "merge_people", "found_ground", "set_scale", "floor_from_cursor", "face_camera", "delete_people",
    "mark_contact", "free_contact", "move_contact", "reset_contact",
))  # fmt: skip


@pytest.fixture
def scene(take):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    made, _ = scene_builder.import_take(take, bpy.context.scene, ImportOptions(clean=0.5, ground="off"))
    assert made.root is not None
    for item in family.people_under(made.root):
        contacts.write(item, (contacts.Edit("left_foot", 1, 40, True), contacts.Edit("right_foot", 10, 40, True)))
    bpy.context.scene.frame_set(15)
    return bpy.context.scene


ALWAYS = {
    (linked, "clean_up"), (linked, "rename_person"), (overridden, "merge_people"), (in_tweak_mode, "show_version"),
    (appended_twice, "fill_gaps"), (full_copy, "split_people"), (excluded, "delete_people"),
    (in_pose_mode, "swap_people"), (linked, "mark_contact"), (in_tweak_mode, "move_contact"),
    (full_copy, "free_contact"), (in_edit_mode, "reset_contact"),
}  # fmt: skip
"""The others are run by hand: all of them together take six minutes."""


@pytest.mark.parametrize(("situation", "tool"), [
    pytest.param(
        situation, tool, id=f"{situation.__name__}-{tool}",
        marks=[] if (situation, tool) in ALWAYS else [pytest.mark.slow],
    )
    for situation in SITUATIONS for tool in TOOLS
])  # fmt: skip
def test_right_or_one_error_and_nothing_else_changes(scene, tmp_path, situation, tool):
    item = situation(scene, tmp_path / "file.blend")
    if item.name in bpy.context.view_layer.objects and situation not in (in_pose_mode, in_edit_mode):
        pick(item)
    before = curves_outside(item)
    kept = {uid for uid, *_ in before}
    try:
        ended = work(item)[tool]()
    except RuntimeError as error:
        assert "Traceback" not in str(error) and "internal" not in str(error), error
        ended = {"CANCELLED"}
    assert ended in ({"FINISHED"}, {"CANCELLED"})
    own = next((who for who in bpy.data.objects if who.session_uid not in kept and family.is_person(who)), None)
    after = curves_outside(own) if own is not None else {}
    changed = {key for key in before if key in after and before[key] != after[key]}
    affected = {"swap_people", "merge_people"}  # which work on two
    if situation is excluded:
        affected.add("compare_versions")  # which works on all where nobody is selected
    assert tool in affected or not changed, sorted({key[1:3] for key in changed})
