# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters of every family move as the person does and stay in one piece, measured on what Blender shows."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import hierarchy, name_patterns, presets, recognition
from bl_ext.user_default.human3r_blender.human3r_blender.rigs.rig_map import RigMap
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import matched_pose, retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from . import families, rigs
from .family_trees import FAMILIES
from .measuring import angles, foot_errors, heads, limbs, positions, slide

FRAMES = range(1, 61, 7)
KNOWN = presets.find_all()[0]
ROOTS = {
    "Character Creator": "CC_Base_Hip", "Daz Genesis 8": "hip", "Daz Genesis 9": "hip", "MMD": "グルーブ",
    "MMD 左": "グルーブ", "MMD in English": "groove", "Biped": "Bip001 Pelvis",
}  # fmt: skip
"""Where the bone that carries the body is not simply the one of the hips; here from what is known of the rigs."""


def found_by(item, names_only):
    parents = hierarchy.parents_of(item)
    return name_patterns.find(parents) if names_only else recognition.find(parents, KNOWN).rig


def torn(item, frames, carrier):
    """Meters by which the farthest-moving bone leaves its place at its parent, those above the carrier left out."""
    bones = [bone for bone in item.data.bones if bone.parent and bone.name != carrier]
    shown = heads(item, [bone.name for bone in bones], frames) - heads(
        item, [bone.parent.name for bone in bones], frames
    )
    rest = [item.matrix_world @ bone.head_local - item.matrix_world @ bone.parent.head_local for bone in bones]
    return float(np.abs(np.linalg.norm(shown, axis=-1) - np.linalg.norm(np.array(rest), axis=-1)).max())


def moved_bones(item):
    """Bones with location keys."""
    return {path.split('"')[1] for path, _ in keyframes.curves(item) if path.endswith(".location")}


@pytest.mark.parametrize("names_only", [False, True], ids=["preset", "names"])
@pytest.mark.parametrize("kind, seed", [(kind, 20 + number) for number, kind in enumerate(FAMILIES)])
def test_limbs_have_the_persons_directions_and_nothing_is_torn(scene, person, rest, kind, seed, names_only):
    pose, axes = ("T", "A", "relaxed", "random")[seed % 4], ("y", "random", "x")[seed % 3]
    rig = families.build(FAMILIES[kind], rest, seed, pose, axes, rigs.Y_UP_CM if seed % 2 else None)
    report = retargeting.retarget(
        person, rig.item, scene, found_by(rig.item, names_only), RetargetSettings(plant_feet=False)
    )
    found = angles(*positions(person, rig, FRAMES), limbs())
    assert len(found) == (8 if kind in ("Roblox", "SMPL") else 30), found
    assert max(found.values()) < 1.0 and not report.loose and report.is_right, (found, report)
    assert moved_bones(rig.item) == {ROOTS.get(kind, FAMILIES[kind].truth()["pelvis"][0])}
    assert torn(rig.item, FRAMES, *moved_bones(rig.item)) < 1e-4


@pytest.mark.parametrize("kind", ["Character Creator", "Daz Genesis 8", "MMD", "Biped", "Roblox"])
def test_the_hips_turn_as_the_persons_where_another_bone_carries_them(scene, person, motion, rest, kind):
    rig = families.build(FAMILIES[kind], rest, 40)
    retargeting.retarget(person, rig.item, scene, found_by(rig.item, False))
    theirs, own = positions(person, rig, range(1, 61))
    for joints in (theirs, own):
        joints["line"] = joints["left_hip"] - joints["right_hip"]
        joints["line"] /= np.linalg.norm(joints["line"], axis=-1, keepdims=True)
    # hip joints lie on no limb: their line is compared with the one at rest
    turned = np.degrees(np.arccos(np.clip((theirs["line"] * own["line"]).sum(-1), -1, 1)))
    assert np.ptp(turned) < 0.1 and turned.max() < 3.0
    feet = "foot" if "left_foot" in own else "ankle"
    assert slide(own, motion.standing, feet) < 0.001 or feet == "ankle"
    assert foot_errors(theirs, own, feet).max() < 0.01


@pytest.mark.parametrize("kind, solvers", [
    ("MMD", {"ひざ.{s}": ("足ＩＫ.{s}", 2), "足首.{s}": ("足IK親.{s}", 1)}),
    ("MetaHuman", {"calf_{s}": ("root", 2), "lowerarm_{s}": ("ik_hand_{s}", 0)}),
])  # fmt: skip
def test_inverse_kinematics_on_the_bones_themselves_is_switched_off(scene, person, rest, kind, solvers):
    family = FAMILIES[kind]
    rig = families.build(family, rest, 44, "relaxed", "y")
    for side in family.sides:
        for name, (target, count) in solvers.items():
            solver = rig.item.pose.bones[name.replace("{s}", side)].constraints.new("IK")
            solver.name, solver.target, solver.subtarget = 'to "it"', rig.item, target.replace("{s}", side)
            solver.chain_count = count
    retargeting.retarget(person, rig.item, scene, found_by(rig.item, False), RetargetSettings(plant_feet=False))
    found = angles(*positions(person, rig, FRAMES), limbs())
    assert max(found.values()) < 1.0, found
    influences = [path for path, _ in keyframes.curves(rig.item) if path.endswith(".influence")]
    assert len(influences) == 4


def test_inverse_kinematics_to_something_else_is_left_alone(scene, person, rest):
    """A hand on a prop, or a bone that follows one with keys, is meant."""
    rig = families.build(FAMILIES["Godot"], rest, 45)
    prop = bpy.data.objects.new("prop", None)
    scene.collection.objects.link(prop)
    for bone, target, subtarget in (("LeftLowerArm", prop, ""), ("RightLowerArm", rig.item, "LeftHand")):
        solver = rig.item.pose.bones[bone].constraints.new("IK")
        solver.target, solver.subtarget, solver.chain_count = target, subtarget, 2
    retargeting.retarget(person, rig.item, scene, found_by(rig.item, False))
    assert not [path for path, _ in keyframes.curves(rig.item) if path.endswith(".influence")]


@pytest.mark.parametrize("bone", ["Spine", "Head"])
def test_a_constraint_that_holds_a_part_elsewhere_is_no_body_without_a_root(scene, person, rest, bone):
    rig = families.build(FAMILIES["Godot"], rest, 46)
    prop = bpy.data.objects.new("prop", None)
    scene.collection.objects.link(prop)
    rig.item.pose.bones[bone].constraints.new("COPY_LOCATION").target = prop
    retargeting.retarget(person, rig.item, scene, found_by(rig.item, False))
    assert moved_bones(rig.item) == {"Hips"}


def test_a_root_that_was_chosen_wrongly_is_found_all_the_same(scene, person, rest):
    rig = families.build(FAMILIES["Character Creator"], rest, 41)
    bones = {slot: names for slot, names in found_by(rig.item, False).bones.items() if slot not in ("root", "spine")}
    for chosen in ({}, {"root": ("CC_Base_Waist",)}, {"root": ("CC_Base_L_ThighTwist01",)}):
        retargeting.retarget(person, rig.item, scene, RigMap(bones | chosen), RetargetSettings(plant_feet=False))
        assert moved_bones(rig.item) == {"CC_Base_Hip"}
    # one that does carry the body is taken as it was chosen
    retargeting.retarget(person, rig.item, scene, RigMap(bones | {"root": ("CC_Base_BoneRoot",)}))
    assert moved_bones(rig.item) == {"CC_Base_BoneRoot"}


def test_a_matched_pose_holds_for_the_root_too(scene, person, rest):
    rig = families.build(FAMILIES["Daz Genesis 9"], rest, 42, "T", "y")
    bones = {slot: names for slot, names in found_by(rig.item, False).bones.items() if slot != "root"}
    scene.frame_set(1)
    matched_pose.match(person, rig.item, scene, RigMap(bones), "FK")
    retargeting.retarget(person, rig.item, scene, RigMap(bones), RetargetSettings(calibration="POSE", plant_feet=False))
    assert moved_bones(rig.item) == {"hip"} and torn(rig.item, FRAMES, "hip") < 1e-4


def test_a_body_that_no_bone_carries_is_refused(scene, person, rest):
    rig = families.build(FAMILIES["Godot"], rest, 43)
    bpy.context.view_layer.objects.active = rig.item
    bpy.ops.object.mode_set(mode="EDIT")
    rig.item.data.edit_bones["Spine"].parent = None
    bpy.ops.object.mode_set(mode="OBJECT")
    before = rig.item.animation_data
    with pytest.raises(UserError, match="carries") as error:
        retargeting.retarget(person, rig.item, scene, found_by(rig.item, False))
    assert error.value.code == "rig-root-unknown" and error.value.remedy and rig.item.animation_data == before
