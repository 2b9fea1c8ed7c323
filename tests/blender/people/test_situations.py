# SPDX-License-Identifier: GPL-3.0-or-later
"""Every tool for people in every state that a user's file may be in: it does its work, or says why not in one error.

Whatever happens, nothing outside the person's own family changes: all F-curves there are compared before and after.
"""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions

human3r = bpy.ops.human3r


def duplicated(scene, path):
    item = person(scene)
    pick(item, family.mesh(item))
    bpy.ops.object.duplicate()
    return bpy.context.view_layer.objects.active


def appended_twice(scene, path):
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    for _ in range(2):
        bring(scene, path)
    return [item for item in bpy.context.scene.objects if family.is_person(item)][-1]


def full_copy(scene, path):
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window):
        bpy.ops.scene.new(type="FULL_COPY")
        return person(bpy.context.scene)


def linked(scene, path):
    save_and_begin_anew(path, link=True)
    return person(bpy.context.scene)


def overridden(scene, path):
    save_and_begin_anew(path, link=True)
    [collection] = bpy.context.scene.collection.children
    collection.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    bpy.context.view_layer.update()
    return next(item for item in bpy.context.scene.objects if family.is_person(item) and item.override_library)


def excluded(scene, path):
    item = person(scene)
    pick(item)
    bpy.context.view_layer.layer_collection.children[0].exclude = True
    bpy.context.view_layer.update()
    return item


def in_a_hidden_collection(scene, path):
    item = person(scene)
    pick(item)
    family.collection(item).hide_viewport = True
    return item


def in_tweak_mode(scene, path):
    item = person(scene)
    action = item.animation_data.action
    strip = item.animation_data.nla_tracks.new().strips.new("strip", 1, action)
    item.animation_data.action = None
    strip.select = item.animation_data.nla_tracks[0].select = True
    item.animation_data.nla_tracks.active = item.animation_data.nla_tracks[0]
    item.animation_data.use_tweak_mode = True
    return item


def in_pose_mode(scene, path):
    item = person(scene)
    pick(item)
    bpy.ops.object.mode_set(mode="POSE")
    scene.tool_settings.use_keyframe_insert_auto = True
    return item


def in_another_scene(scene, path):
    item = person(scene)
    bpy.data.scenes.new("Other")
    return item


def in_edit_mode(scene, path):
    item = person(scene)
    pick(item)
    bpy.ops.object.mode_set(mode="EDIT")
    return item


SITUATIONS = (
    duplicated, appended_twice, full_copy, linked, overridden, excluded, in_a_hidden_collection, in_tweak_mode,
    in_pose_mode, in_another_scene, in_edit_mode,
)  # fmt: skip


def work(item):
    """Every tool with the person chosen: what it is called by, and the call."""
    return {
        "clean_up": lambda: human3r.clean_up(everyone=False),
        "compare_versions": lambda: human3r.compare_versions(),
        "show_version": lambda: human3r.show_version(version="RAW", everyone=False),
        "color_people": lambda: human3r.color_people(everyone=False),
        "paint_people": lambda: human3r.paint_people(),
        "show_contacts": lambda: human3r.show_contacts(),
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
))  # fmt: skip


def person(scene):
    """The person with gaps."""
    return next(item for item in family.people_in(scene) if item[tags.TRACK] == 2)


def pick(*items):
    for other in bpy.context.view_layer.objects:
        other.select_set(other in items)
    bpy.context.view_layer.objects.active = items[0]


def save_and_begin_anew(path, link):
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bring(bpy.context.scene, path, link)


def bring(scene, path, link=False):
    """The collection of the take out of a file."""
    with bpy.data.libraries.load(str(path), link=link) as (there, wanted):
        wanted.collections = [name for name in there.collections if name == "walk"]
    [collection] = wanted.collections
    scene.collection.children.link(collection)
    bpy.context.view_layer.update()


def curves_outside(family_of):
    """Every F-curve of people other than one, of any scene, by what it belongs to."""
    own = {block.session_uid for block in (*family.animated(family_of), *family.actions(family_of).values())}
    found = {}
    for item in bpy.data.objects:
        if not family.is_person(item) or item == family_of:
            continue
        blocks = [*family.animated(item), *family.actions(item).values()]
        for block in blocks:
            if block.session_uid in own:
                continue
            curves = (
                keyframes.curves_in(block, 'pose.bones["pelvis"].location')
                if isinstance(block, bpy.types.Action)
                else keyframes.curves(block)
            )
            for name, curve in curves.items():
                found[item.session_uid, block.bl_rna.identifier, block.get(tags.ROLE, ""), name] = np.concatenate(
                    keyframes.read(curve)
                ).tobytes()
    return found


@pytest.fixture
def scene(take):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    made, _ = scene_builder.import_take(take, bpy.context.scene, ImportOptions(clean=0.5, ground="off"))
    assert made.root is not None
    bpy.context.scene.frame_set(15)
    return bpy.context.scene


ALWAYS = {
    (linked, "clean_up"), (linked, "rename_person"), (overridden, "merge_people"), (in_tweak_mode, "show_version"),
    (appended_twice, "fill_gaps"), (full_copy, "split_people"), (excluded, "delete_people"),
    (in_pose_mode, "swap_people"),
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
