# SPDX-License-Identifier: GPL-3.0-or-later
"""One undo takes back all that one operator did, as Blender itself records it from the operator's options."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.capture import setting_presets
from bl_ext.user_default.human3r_blender.human3r_blender.person import blocks, family, motion
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder

from ..takes import Synthetic
from .conftest import meshes
from .test_search import OPERATORS, options

CONTACT_EDITS = "human3r_contact_edits"


def state(scene):
    """What of a file our operators change, in numbers and names."""
    bpy.context.view_layer.update()
    return {
        "objects": {item.name: (rounded(item.matrix_basis), rounded(item.color), item.hide_get(), item.select_get(),
                                item.hide_viewport, played(item), str(item.get(CONTACT_EDITS, "")))
                    for item in scene.objects},
        "active": getattr(bpy.context.view_layer.objects.active, "name", ""),
        "collections": {item.name: (item.hide_viewport, len(item.objects)) for item in bpy.data.collections},
        "actions": {item.name: rounded([curve.evaluate(3.0) for curve in all_curves(item)])
                    for item in bpy.data.actions},
        "keys": {item.name: len(item.key_blocks) for item in bpy.data.shape_keys},
        "materials": {item.name: rounded(item.diffuse_color) for item in bpy.data.materials},
        "settings": [str(getattr(getattr(scene, group.identifier), item.identifier))
                     for group in scene.bl_rna.properties if group.identifier.startswith("human3r")
                     for item in group.fixed_type.properties if item.identifier != "rna_type"],
    }  # fmt: skip


def rounded(values):
    return tuple(np.round(np.array(values, dtype=np.float64), 4).ravel().tolist())


def played(item):
    return item.animation_data.action.name if item.animation_data and item.animation_data.action else ""


def all_curves(action):
    found = keyframes.curves_in(action, motion.LOCATION)
    return [found[name] for name in sorted(found)]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Two people, cleaned up, and something of the user's own, in a file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    take, scene = Synthetic(frames=8, people=2, source="gone.mp4"), bpy.context.scene
    made = scene_builder.SceneBuilder(scene, take.header)
    for message in take.messages():
        made.add(message)
    made.finish()
    made.work()
    made.root.rotation_euler.z = 1.0
    other = bpy.data.objects.new("the user's own", None)
    scene.collection.objects.link(other)
    other.location, scene.cursor.location = (0.3, 0.2, 1.0), (0.0, 0.0, 0.4)
    path = tmp_path_factory.mktemp("undo") / "take.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def root(file, select):
    """The take's root, with one of the people and the user's own selected."""
    bpy.ops.wm.open_mainfile(filepath=str(file))
    found = next(item for item in bpy.context.scene.objects if item.get(tags.ROLE) == tags.ROOT)
    select(meshes(found)[0], bpy.data.objects["the user's own"])
    return found


RUNS = {
    "floor_from_cursor": {}, "floor_from_selection": {}, "face_camera": {}, "found_ground": {},
    "set_scale": {"length": 5.0}, "set_height": {"height": 1.93},
    "clean_up": {"strength": 0.3}, "show_version": {"version": "RAW"}, "compare_versions": {},
    "show_contacts": {"show": True},
    "bake_correctives": {}, "select_person": {"name": "Person 02"}, "choose_video": {"filepath": "/videos/clip.mp4"},
    "use_preset": {"filepath": str(setting_presets.SHIPPED / "presets" / "human3r" / "Best_Quality.py")},
    "show_names": {}, "paint_people": {"color": (0.1, 0.2, 0.3, 1.0)}, "color_people": {}, "play_camera_view": {},
    "import_take": {}, "split_people": {}, "rename_person": {"name": "Ada"}, "delete_people": {}, "hide_people": {},
    "show_people": {}, "merge_people": {}, "swap_people": {},
    "mark_contact": {"limb": "LEFT_FOOT"},
}  # fmt: skip
"""Operators and what they are run with."""

ELSEWHERE = {
    **dict.fromkeys(("set_up_shot", "remove_shot"), "world, camera and render settings: test_shot.py"),
    "draw_limbs": "needs people of an earlier version: tests/blender/display/test_bones.py",
    "import_all": "needs a take with too many people; builds what import_take builds",
    "start_capture": "needs an engine; builds what import_take builds",
    **dict.fromkeys(("preview_capture", "resume_capture", "start_over"), "the same"),
    "use_best_model": "needs a model that is not for footage: tests/blender/capture/test_chosen_clip.py",
    "use_scene_camera": "needs a camera that the scene shows: tests/blender/scene/test_camera_file.py",
    "choose_strip": "needs a strip in the video editor: tests/blender/capture/test_editor_strips.py",
    "find_footage": "needs footage that moved: tests/blender/takes_section",
    **dict.fromkeys(
        ("free_contact", "move_contact", "reset_contact", "go_to_contact"),
        "need a contact that was marked: tests/blender/clean_up/test_contacts_by_hand.py",
    ),
    "fill_gaps": "needs a take with gaps: tests/blender/people",
    "import_motion": "needs a motion file: tests/blender/export",
    **dict.fromkeys(
        ("retarget", "retarget_find_bones", "retarget_match_pose"), "needs a character: tests/blender/retarget"
    ),
}


def test_every_change_is_taken_back_here_or_elsewhere():
    changing = {cls.bl_idname.partition(".")[2] for cls in OPERATORS if "UNDO" in options(cls)}
    assert changing == RUNS.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("name", RUNS)
def test_one_undo_takes_it_back(root, select, tmp_path, name):
    arguments = dict(RUNS[name])
    if name == "found_ground":
        root.location.z += 2
    if name == "color_people":
        for mesh in meshes(root):
            mesh.color = (1, 1, 1, 1)
    if name == "show_people":
        blocks.set_hidden(family.people_under(root)[1], True)
    if name in ("merge_people", "swap_people"):
        select(*family.people_under(root))
    if name in ("split_people", "swap_people"):
        bpy.context.scene.frame_set(4)
    if name == "import_take":
        arguments["filepath"] = str(Synthetic(frames=4, people=1, points=5).write(tmp_path / "take.h3r"))
    if name in ("bake_correctives", "floor_from_cursor"):
        select(family.people_under(root)[0])
    bpy.ops.ed.undo_push(message="what the user did before")
    before = state(bpy.context.scene)
    assert getattr(bpy.ops.human3r, name)("EXEC_DEFAULT", True, **arguments) == {"FINISHED"}
    after = state(bpy.context.scene)
    assert after != before, "the operator changed nothing that this test sees"
    bpy.ops.ed.undo()
    assert state(bpy.context.scene) == before
    bpy.ops.ed.redo()
    assert state(bpy.context.scene) == after
