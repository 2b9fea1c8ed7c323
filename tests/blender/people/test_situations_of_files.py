# SPDX-License-Identifier: GPL-3.0-or-later
"""Retargeting, export, import and capture in every state that a user's file may be in: right, or one error.

None of them works on people's motions, so no F-curve of anybody may change at all.
"""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature, family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions

from .situations import (
    SITUATIONS,
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


def retarget(item, folder, take):
    character = armature.create("Hero", BodyModel.load(default_body_path()).rest_joints(np.zeros(10)))
    bpy.context.scene.collection.objects.link(character)
    bpy.context.view_layer.update()
    settings = bpy.context.scene.human3r_retarget
    settings.source, settings.character = item, character
    ended = human3r.retarget()
    assert character.animation_data is not None and len(keyframes.curves(character)) > 50
    return ended


def export(item, folder, take):
    settings = bpy.context.scene.human3r_export
    settings.formats, settings.everyone = {"NPZ", "BVH", "GLB", "FBX"}, True
    ended = human3r.export(filepath=str(folder / "out"))
    written = sorted(path.suffix for path in folder.glob("out*"))
    assert {".fbx", ".glb", ".npz", ".bvh"} == set(written) and written.count(".bvh") >= 1
    return ended


def import_take(item, folder, take):
    before = sum(map(family.is_person, bpy.context.scene.objects))
    ended = human3r.import_take(filepath=str(take))
    assert sum(map(family.is_person, bpy.context.scene.objects)) == before + 3
    return ended


def start_capture(item, folder, take):
    scene = bpy.context.scene
    before = sum(map(family.is_person, scene.objects))
    scene.human3r.source, scene.human3r.take = "/walk:6", str(folder / "new.h3r")
    ended = human3r.start_capture()
    assert sum(map(family.is_person, scene.objects)) == before + 2
    return ended


TOOLS = (retarget, export, import_take, start_capture)
ALWAYS = {
    (linked, export), (full_copy, retarget), (in_tweak_mode, retarget), (overridden, import_take),
    (in_pose_mode, start_capture), (excluded, export),
}  # fmt: skip
"""The others are run by hand: each begins with a new file and three people."""

REFUSED = {(in_edit_mode, export): "Leave Edit Mode", (in_edit_mode, retarget): "Leave Edit Mode"}
"""What is said in place of the work, by situation and tool."""


def everybodys_curves():
    """All keys of all Actions but those of characters, with what plays them."""
    found = {}
    for action in bpy.data.actions:
        curves = keyframes.curves_in(action, 'pose.bones["pelvis"].location') or {}
        for name, curve in curves.items():
            found[action.session_uid, name] = np.concatenate(keyframes.read(curve)).tobytes()
    for item in filter(family.is_person, bpy.data.objects):
        data = item.animation_data
        playing = data and data.action and data.action.session_uid
        found[item.session_uid, "plays"] = playing, bool(data and data.use_tweak_mode), item.hide_viewport
    return found


@pytest.fixture
def file(addon, take):
    """Three people in an empty file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene_builder.import_take(take, bpy.context.scene, ImportOptions(clean=0.5, ground="off"))
    bpy.context.scene.frame_set(15)
    yield bpy.context.scene
    addon.session.forget()


@pytest.mark.parametrize(("situation", "tool"), [
    pytest.param(
        situation, tool, id=f"{situation.__name__}-{tool.__name__}",
        marks=[] if (situation, tool) in ALWAYS else [pytest.mark.slow],
    )
    for situation in SITUATIONS for tool in TOOLS
])  # fmt: skip
def test_right_or_one_error_and_nobody_changes(file, stand_in, take, tmp_path, situation, tool):
    item = situation(file, tmp_path / "file.blend")
    if item.name in bpy.context.view_layer.objects and situation not in (in_pose_mode, in_edit_mode):
        pick(item)
    bpy.context.scene.frame_set(bpy.context.scene.frame_current)  # what was linked is as its keys have it from here on
    mode, before = bpy.context.mode, everybodys_curves()
    try:
        ended = tool(item, tmp_path, take)
    except RuntimeError as error:
        said = REFUSED.get((situation, tool))
        assert said is not None and said in str(error), error
        ended = {"CANCELLED"}
    assert ended == ({"CANCELLED"} if (situation, tool) in REFUSED else {"FINISHED"})
    after = everybodys_curves()
    assert {key: after.get(key) for key in before} == before
    assert bpy.context.mode == mode
