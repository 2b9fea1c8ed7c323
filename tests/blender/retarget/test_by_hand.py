# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person at the keyboard does: choose, find bones, correct them, match a pose, save a preset, retarget, undo."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.motion.clean_up import CleanUpSettings
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import versions
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import presets, rig_map
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings
from mathutils import Quaternion

from . import rigs
from .measuring import angles, heads, limbs, positions, slide

FRAMES = range(1, 61, 7)


@pytest.fixture
def chosen(scene, person, rest, tmp_path, monkeypatch):
    """The panel's settings with a person and a Mixamo character chosen, and a data folder of the test's own."""
    monkeypatch.setenv("HUMAN3R_DATA", str(tmp_path / "data"))
    settings = scene.human3r_retarget
    settings.source, settings.character = person, rigs.mixamo(rest).item
    return settings


def test_one_button_does_it_all(chosen):
    assert len(chosen.rig().bones) == 50  # found when the character was chosen
    assert bpy.ops.human3r.retarget() == {"FINISHED"}
    assert chosen.evidence == "Mixamo. Run on the real rig's skeleton, not on a whole character"
    assert "limbs within 0.0" in chosen.report and chosen.character.animation_data.action.name in chosen.report
    assert all(
        len(item.description) > 15
        for name, item in chosen.bl_rna.properties.items()
        if name not in ("rna_type", "name", "rows")
    )


def test_poses_that_blender_hides_are_asked_for(chosen):
    """Nothing is learnt from a rig in Edit Mode or at rest: that is said. A hidden one is looked at all the same."""
    item = chosen.character
    item.data.pose_position = "REST"
    with pytest.raises(RuntimeError, match="Pose Position"):
        bpy.ops.human3r.retarget()
    item.data.pose_position = "POSE"
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Leave Edit Mode"):
        bpy.ops.human3r.retarget()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert item.animation_data is None
    item.hide_viewport = chosen.source.hide_viewport = True
    assert bpy.ops.human3r.retarget() == {"FINISHED"} and "limbs within 0.0" in chosen.report
    assert item.hide_viewport and chosen.source.hide_viewport


def test_buttons_say_what_is_missing(scene):
    with pytest.raises(RuntimeError, match="character"):
        bpy.ops.human3r.retarget()
    with pytest.raises(RuntimeError, match="own"):
        bpy.ops.human3r.retarget_remove_preset()


def test_undo_takes_the_action_away(chosen):
    name = chosen.character.name
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.human3r.retarget()
    bpy.ops.ed.undo_push(message="Retarget")
    assert bpy.data.objects[name].animation_data.action is not None
    bpy.ops.ed.undo()
    data = bpy.data.objects[name].animation_data
    assert data is None or data.action is None


def test_a_mapping_made_by_hand_is_kept_as_a_preset(chosen, tmp_path):
    for bone in chosen.character.data.bones:
        if bone.name.endswith("Head"):
            bone.name = "Dome"
    bpy.ops.human3r.retarget_find_bones()
    row = next(row for row in chosen.rows if row.key == "head")
    assert row.bone == "" and chosen.is_found()
    row.bone = "Dome"
    assert bpy.ops.human3r.retarget_save_preset(name="Domes") == {"FINISHED"}
    assert presets.path_of("Domes", tmp_path / "data" / "rig-presets") is not None
    folder = tmp_path / "data" / "rig-presets"
    (folder / "early.json").write_text((folder / "domes.json").read_text().replace('"Domes"', '"A Rig"'))
    assert chosen.preset == "Domes"  # also in a file that was saved before there was another
    assert chosen.evidence == "Domes. This preset has not been run on its rig"
    assert chosen.rig().bones["head"] == ("Dome",)
    with pytest.raises(RuntimeError, match="comes with the add-on"):
        bpy.ops.human3r.retarget_save_preset(name="Mixamo")
    assert bpy.ops.human3r.retarget_remove_preset("EXEC_DEFAULT") == {"FINISHED"}
    assert [path.name for path in (tmp_path / "data" / "rig-presets").iterdir()] == ["early.json"]


def test_bones_that_were_renamed_since_are_told(chosen):
    chosen.character.data.bones["mixamorig7:LeftHand"].name = "Claw"
    with pytest.raises(RuntimeError, match="mixamorig7:LeftHand"):
        bpy.ops.human3r.retarget()
    assert chosen.character.animation_data is None
    bpy.ops.human3r.retarget_find_bones()
    assert bpy.ops.human3r.retarget() == {"FINISHED"}


def test_one_bone_in_two_places_is_refused(chosen):
    rows = {row.key: row for row in chosen.rows}
    rows["left_knee"].bone = rows["right_knee"].bone
    with pytest.raises(RuntimeError, match="Shin L"):
        bpy.ops.human3r.retarget()
    assert chosen.character.animation_data is None


def test_a_matched_pose_stands_for_the_rest_poses(scene, person, rest, motion):
    """A character whose bones lie anywhere, posed by hand like the person: from then on it follows."""
    rig = rigs.unreal(rest, spines=3, necks=1)
    found = rig_map.resolve(presets.find_all()[0]["Unreal Mannequin"], rig.item.data.bones.keys())
    retargeting.retarget(person, rig.item, scene, found, RetargetSettings(plant_feet=False))
    scene.frame_set(20)
    bones = [bone for names in found.bones.values() for bone in names]
    posed = {name: rig.item.pose.bones[name].matrix_basis.copy() for name in bones}
    rig.item.animation_data_clear()
    for name, basis in posed.items():
        rig.item.pose.bones[name].matrix_basis = basis
    settings = scene.human3r_retarget
    settings.source, settings.character, settings.preset = person, rig.item, "Unreal Mannequin"
    settings.plant_feet = False
    bpy.ops.human3r.retarget_match_pose()
    assert settings.calibration == "POSE"
    bpy.ops.human3r.retarget()
    assert not settings.report_is_wrong, settings.report
    assert max(angles(*positions(person, rig, FRAMES), limbs()).values()) < 1.0
    # and another pose for the same moment gives another motion: it is the pose that counts
    rig.item.animation_data_clear()
    turn = Quaternion((0.9, 0, 0, 0.436)).to_matrix().to_4x4()
    rig.item.pose.bones["upperarm_l"].matrix_basis = posed["upperarm_l"] @ turn
    scene.frame_set(20)
    bpy.ops.human3r.retarget_match_pose()
    bpy.ops.human3r.retarget()
    assert not settings.report_is_wrong, settings.report
    assert angles(*positions(person, rig, FRAMES), [("left_shoulder", "left_elbow")])["left_shoulder"] > 5


def test_the_version_that_plays_is_put_on_the_character(chosen, scene, person, rest):
    """Raw or clean: the character does what the person is seen to do."""
    random = np.random.default_rng(3)
    for curve in keyframes.curves(person).values():
        values = keyframes.read(curve)[1]
        keyframes.set_values(curve, values + random.normal(0, 0.02, len(values)).astype(np.float32))
    tags.mark(person, "take", tags.ARMATURE, 0)
    tags.mark(person.animation_data.action, "take", tags.RAW, 0)
    versions.clean(person, 30.0, CleanUpSettings())
    chosen.plant_feet, made = False, {}
    rig = rigs.Rig(
        chosen.character,
        {
            name: f"mixamorig7:{bone}"
            for name, bone in (("left_shoulder", "LeftArm"), ("left_elbow", "LeftForeArm"), ("left_wrist", "LeftHand"))
        },
    )
    for role in (tags.CLEAN, tags.RAW):
        versions.show(person, role)
        bpy.ops.human3r.retarget()
        theirs, own = positions(person, rig, FRAMES)
        assert max(angles(theirs, own, [("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")]).values()) < 1.0
        made[role] = own["left_wrist"]
    assert np.abs(made[tags.CLEAN] - made[tags.RAW]).max() > 0.01


def test_frames_and_rate_are_as_asked_for(chosen, scene):
    scene.render.fps = 30
    chosen.use_range, chosen.frame_start, chosen.frame_end, chosen.key_rate = True, 11, 41, 15.0
    bpy.ops.human3r.retarget()
    curve = next(iter(keyframes.curves(chosen.character).values()))
    np.testing.assert_allclose(keyframes.read(curve)[0], np.arange(11, 42, 2))
    chosen.frame_start, chosen.frame_end = 90, 80
    with pytest.raises(RuntimeError, match="first"):
        bpy.ops.human3r.retarget()


def test_the_character_may_stay_where_it_stands(scene, person, rest, motion):
    rig = rigs.vrm(rest)
    rig.item.location, rig.item.rotation_euler = (5, 5, 1), (0, 0, 1.0)
    bpy.context.view_layer.update()
    before = heads(rig.item, [rig.bones[name] for name in ("pelvis", "left_hip", "right_hip", "left_foot")], [1])[0]
    found = rig_map.resolve(presets.find_all()[0]["VRM Humanoid"], rig.item.data.bones.keys())
    assert retargeting.retarget(person, rig.item, scene, found, RetargetSettings(placement="CHARACTER")).is_right
    after = heads(rig.item, [rig.bones[name] for name in ("pelvis", "left_hip", "right_hip", "left_foot")], [1])[0]
    assert np.abs((after[1] + after[2] - before[1] - before[2])[:2]).max() < 0.1
    turn = [np.arctan2(*(points[1] - points[2])[:2]) for points in (before, after)]
    assert abs(turn[0] - turn[1]) < np.radians(12)
    assert abs(after[3][2] - before[3][2]) < 0.06
    assert slide(positions(person, rig, range(1, 61))[1], motion.standing) < 0.001


def test_people_moved_by_strips_and_constraints_are_evaluated(scene, person, rest):
    """The same motion from an NLA strip, under a root that turns, is seen as Blender shows it."""
    action = person.animation_data.action
    slot = getattr(person.animation_data, "action_slot", None)
    strip = person.animation_data.nla_tracks.new().strips.new("walk", 1, action)
    if slot is not None:
        strip.action_slot = slot
    person.animation_data.action = None
    root = person.parent
    root.rotation_euler = (0, 0, 0)
    for frame, angle in ((1, 0.0), (60, 2.0)):
        root.rotation_euler[2] = angle
        root.keyframe_insert("rotation_euler", frame=frame)
    rig = rigs.vrm(rest)
    found = rig_map.resolve(presets.find_all()[0]["VRM Humanoid"], rig.item.data.bones.keys())
    retargeting.retarget(person, rig.item, scene, found, RetargetSettings(plant_feet=False))
    assert max(angles(*positions(person, rig, FRAMES), limbs()).values()) < 1.0
