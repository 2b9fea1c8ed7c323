# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters of every kind move as the person does, as Blender shows them: reconstructed rigs."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import name_patterns, presets, rig_map
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from . import rigs
from .measuring import angles, foot_errors, hand_errors, limbs, positions, scale, slide

FRAMES = range(1, 61, 7)
EVERY = range(1, 61)

KINDS = {
    "mixamo": ("Mixamo", rigs.mixamo, {}),
    "mixamo A, other prefix": ("Mixamo", rigs.mixamo, {"prefix": "mixamorig:", "pose": "A", "axes": "random"}),
    "mixamo without prefix": ("Mixamo", rigs.mixamo, {"prefix": ""}),
    "UE5": ("Unreal Mannequin", rigs.unreal, {}),
    "UE4": ("Unreal Mannequin", rigs.unreal, {"spines": 3, "necks": 1}),
    "VRoid": ("VRM Humanoid", rigs.vrm, {}),
    "VRM": ("VRM Humanoid", rigs.vrm, {"names_of": "VRM 1", "pose": "relaxed"}),
    "VRM 0": ("VRM Humanoid", rigs.vrm, {"names_of": "VRM 0"}),
    "VRM add-on": ("VRM Humanoid", rigs.vrm, {"names_of": "add-on", "axes": "y"}),
    "ARP": ("Auto-Rig Pro", rigs.auto_rig_pro, {}),
}


def mapping(rig, name=None):
    """The rig's bones by the preset that is recognised, which has to be the one called `name`."""
    found, problems = presets.find_all()
    assert not problems
    names = rig.item.data.bones.keys()
    recognised = rig_map.recognise(found, names)
    assert name is None or recognised == name
    return rig_map.resolve(found[recognised], names)


@pytest.mark.parametrize("kind", KINDS)
def test_every_limb_has_the_persons_direction(scene, person, rest, kind):
    preset, make, options = KINDS[kind]
    rig = make(rest, **options)
    settings = RetargetSettings(plant_feet=False)
    bones = mapping(rig, preset)
    for joint, bone in rig.bones.items():
        if joint not in ("spine1", "neck") and not bones.measured:
            assert bones.bones[joint] == (bone,)
    report = retargeting.retarget(person, rig.item, scene, bones, settings)
    found = angles(*positions(person, rig, FRAMES), limbs())
    assert len(found) == 30 and max(found.values()) < 1.0, found
    assert report.limb_angle_rad < np.radians(0.5) and not report.loose and report.is_right


@pytest.mark.parametrize("kind", ["mixamo", "UE5", "VRM", "ARP"])
def test_feet_stay_planted_and_the_rest_keeps_its_direction(scene, person, motion, rest, kind):
    preset, make, options = KINDS[kind]
    rig = make(rest, **options)
    report = retargeting.retarget(person, rig.item, scene, mapping(rig, preset))
    theirs, own = positions(person, rig, EVERY)
    assert max(angles(theirs, own, limbs(legs=False)).values()) < 1.0
    assert foot_errors(theirs, own).max() < 0.01
    assert slide(own, motion.standing) < 0.001
    assert report.reach_m < 0.01 and report.is_right
    # the motion does something worth the name: the person walks two steps and the feet are lifted
    assert np.ptp(theirs["left_foot"][:, :2], axis=0).max() > 0.5


def test_hands_and_feet_reach_with_ik_controls(scene, person, motion, rest):
    rig = rigs.auto_rig_pro(rest)
    found = mapping(rig, "Auto-Rig Pro")
    assert len(found.ik) == 4
    retargeting.retarget(person, rig.item, scene, found, RetargetSettings(controls="IK"))
    theirs, own = positions(person, rig, EVERY)
    assert hand_errors(theirs, own).max() < 0.01
    assert foot_errors(theirs, own).max() < 0.01 and slide(own, motion.standing) < 0.002
    assert rig.item.pose.bones["c_hand_ik.l"]["ik_fk_switch"] == 0.0
    # the same Action holds the same pose for the other controls
    ik = own
    for side in ("l", "r"):
        for name in ("c_hand_ik", "c_foot_ik"):
            path = f'pose.bones["{name}.{side}"]["ik_fk_switch"]'
            keyframes.set_values(keyframes.curves(rig.item)[path, 0], np.array([1.0]))
    _, fk = positions(person, rig, FRAMES)
    for joint in ("left_wrist", "right_ankle", "left_knee", "right_elbow"):
        assert np.abs(fk[joint] - ik[joint][[frame - 1 for frame in FRAMES]]).max() < 0.01, joint


@pytest.mark.parametrize("seed", range(6))
def test_any_rest_pose_roll_and_bone_count(scene, person, rest, seed):
    rig = rigs.unknown(rest, seed)
    found = name_patterns.find({bone.name: bone.parent.name if bone.parent else "" for bone in rig.item.data.bones})
    assert {slot: names[0] for slot, names in found.bones.items() if slot in JOINT_NAMES} == {
        joint: name for joint, name in rig.bones.items() if joint in JOINT_NAMES and joint not in ("spine1", "neck")
    } | {"neck": rig.bones["neck"]}
    assert retargeting.retarget(person, rig.item, scene, found, RetargetSettings(plant_feet=False)).is_right
    measured = angles(*positions(person, rig, FRAMES), limbs())
    assert max(measured.values()) < 1.0, measured
    assert retargeting.retarget(person, rig.item, scene, found).is_right
    assert retargeting.retarget(person, rig.item, scene, found, RetargetSettings(controls="IK")).is_right


def test_another_body_of_the_same_skeleton(scene, person, motion):
    betas = np.array([2.5, -2.0, 1.5, 1.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    item = armature.create("Other", BodyModel.load(default_body_path()).rest_joints(betas))
    scene.collection.objects.link(item)
    rig = rigs.Rig(item, {name: name for name in JOINT_NAMES})
    retargeting.retarget(person, item, scene, mapping(rig, "SMPL-X"), RetargetSettings(plant_feet=False))
    assert max(angles(*positions(person, rig, FRAMES), limbs()).values()) < 1.0
    retargeting.retarget(person, item, scene, mapping(rig), RetargetSettings(controls="IK"))
    theirs, own = positions(person, rig, EVERY)
    assert abs(scale(theirs, own) - 1) > 0.1 and hand_errors(theirs, own).max() < 0.01
    assert foot_errors(theirs, own).max() < 0.01 and slide(own, motion.standing) < 0.001


def test_uneven_scale_turned_and_parented_objects(scene, person, motion, rest):
    rig = rigs.vrm(rest)
    holder = bpy.data.objects.new("holder", None)
    scene.collection.objects.link(holder)
    holder.location, holder.rotation_euler, holder.scale = (3, 1, 0.5), (0.2, -0.1, 2.0), (1.1, 1.1, 1.1)
    rig.item.parent = holder
    rig.item.scale = (1.3, 0.9, 1.1)
    bpy.context.view_layer.update()
    retargeting.retarget(person, rig.item, scene, mapping(rig), RetargetSettings(plant_feet=False))
    assert max(angles(*positions(person, rig, FRAMES), limbs()).values()) < 1.0
    assert retargeting.retarget(person, rig.item, scene, mapping(rig)).is_right
    _, own = positions(person, rig, EVERY)
    assert slide(own, motion.standing) < 0.001
