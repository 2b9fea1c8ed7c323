# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way a figure faces, and what follows from it: how bent limbs are turned, and where knees point."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import presets, rig_map
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.calibration import Figure
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from . import rigs
from .measuring import bend, positions

CROUCH = range(22, 28)
"""Frames of the made-up motion in which elbows and knees are bent by far."""
LEG = ("hip", "knee", "ankle")
LIMBS = [
    (f"{side}_{start}", f"{side}_{middle}", f"{side}_{end}")
    for side in ("left", "right")
    for start, middle, end in (("shoulder", "elbow", "wrist"), LEG)
]
GODOT = {"pelvis": "Hips", "hip": "UpperLeg", "knee": "LowerLeg", "ankle": "Foot", "foot": "Toes"}


def put_on(person, rig, **settings):
    """Retarget with the preset that fits."""
    names, found = rig.item.data.bones.keys(), presets.find_all()[0]
    bones = rig_map.resolve(found[rig_map.recognise(found, names)], names)
    retargeting.retarget(person, rig.item, bpy.context.scene, bones, RetargetSettings(**settings))


@pytest.mark.parametrize("seed", range(4))
def test_the_front_is_where_nose_and_toes_point(rest, seed):
    joints = rigs.figure(rest, "relaxed", seed)
    turn = rotations.axis_angle_to_matrix(np.random.default_rng(seed).normal(0, 2, 3))
    heads = dict(zip(JOINT_NAMES, joints @ turn.T, strict=True))
    axes = Figure(heads, turn[:, 2]).axes()
    front = axes[:, 2]
    assert (heads["left_eye"] - heads["head"]) @ front > 0
    assert all((heads[f"{side}_foot"] - heads[f"{side}_ankle"]) @ front > 0.05 for side in ("left", "right"))
    np.testing.assert_allclose(front, -turn[:, 1], atol=1e-6)  # the figures face -y
    np.testing.assert_allclose(np.linalg.det(axes), 1)


@pytest.mark.parametrize("make", [rigs.mixamo, rigs.vrm, rigs.unreal])
def test_limbs_that_are_bent_at_rest_keep_their_roll(scene, person, rest, make):
    """The axis that an elbow or a knee is bent about at rest is carried to the axis that the person's bends about."""
    rig = make(rest, pose="relaxed")
    put_on(person, rig, plant_feet=False)
    theirs = positions(person, rig, CROUCH)[0]
    bones = rig.item.data.bones
    for joints in LIMBS:
        wanted = hinge([theirs[joint] for joint in joints])
        resting = hinge([np.array(bones[rig.bones[joint]].head_local) for joint in joints])
        for joint in joints[:2]:
            carried = np.einsum("tij,j->ti", turns(rig.item, rig.bones[joint], CROUCH), resting)
            assert np.degrees(np.arccos(np.sum(carried * wanted, axis=-1))).max() < 15, joint


def hinge(joints):
    """(..., 3) unit vectors about which a limb of three joints is bent."""
    start, middle, end = joints
    axis = np.cross(middle - start, end - middle)
    return axis / np.linalg.norm(axis, axis=-1, keepdims=True)


def turns(item, bone, frames):
    """(T, 3, 3) from the armature's space at rest to the world."""
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
        turn = shown.matrix_world @ shown.pose.bones[bone].matrix @ item.data.bones[bone].matrix_local.inverted()
        found.append(np.array(turn.to_3x3().normalized()))
    return np.array(found)


@pytest.mark.parametrize("make", [rigs.mixamo, rigs.vrm, rigs.unreal])
def test_knees_of_planted_legs_point_to_where_the_persons_do(scene, person, rest, make):
    rig = make(rest)
    put_on(person, rig)
    theirs, own = positions(person, rig, range(1, 61))
    for side in ("left", "right"):
        assert np.sum(bend(theirs, side, LEG) * bend(own, side, LEG), axis=-1).min() > 0.9


def test_the_same_skeleton_has_its_knees_in_the_same_places(scene, person, motion):
    item = armature.create("Other", motion.rest)
    scene.collection.objects.link(item)
    rig = rigs.Rig(item, {name: name for name in JOINT_NAMES})
    put_on(person, rig)
    assert knee_errors(*positions(person, rig, range(1, 61))).max() < 0.01


def knee_errors(theirs, own):
    """(T, 2) metres."""
    return np.stack(
        [np.linalg.norm(theirs[f"{side}_knee"] - own[f"{side}_knee"], axis=-1) for side in ("left", "right")], axis=-1
    )
