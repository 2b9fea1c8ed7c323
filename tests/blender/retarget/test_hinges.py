# SPDX-License-Identifier: GPL-3.0-or-later
"""Elbows and knees of every character bend to the person's side, and about the hinge that its rest pose shows."""

from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_INDEX, JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import (
    character_files,
    limb_solver,
    retargeting,
)
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from . import rigs
from .conftest import add_person
from .measuring import bend, positions
from .test_limbs_follow import KINDS

EVERY = range(1, 61, 2)
JOINTS = {"elbow": ("shoulder", "elbow", "wrist"), "knee": ("hip", "knee", "ankle")}
LIMBS = [tuple(f"{side}_{name}" for name in names) for side in ("left", "right") for names in JOINTS.values()]
SHOWN = np.radians(9.5)
"""A limb that is bent less at rest shows no hinge: bodies of all shapes are bent by 5 to 8 degrees in the T-pose."""
REST_POSES = [
    rigs.Bent(hang, twist, np.radians(degrees))
    for hang, twist, degrees in ((0.0, 0.0, 3.5), (0.75, 0.5, 4), (1.25, -0.6, 10), (0.75, 0.0, 25), (0.3, 0.8, 45))
]


def axis(start, middle, end):
    """(..., 3) unit vectors that a limb is bent about."""
    across = np.cross(middle - start, end - middle)
    return across / np.linalg.norm(across, axis=-1, keepdims=True)


def bent_by(start, middle, end):
    """(...) radians."""
    upper, lower = middle - start, end - middle
    return np.arctan2(np.linalg.norm(np.cross(upper, lower), axis=-1), np.sum(upper * lower, axis=-1))


def apart(first, second):
    """(...) degrees between unit vectors."""
    return np.degrees(np.arccos(np.clip(np.sum(first * second, axis=-1), -1, 1)))


def bones_at(item, names, frame):
    """(B, 4, 4) bones in the world at a scene frame."""
    bpy.context.scene.frame_set(frame)
    shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([shown.matrix_world @ shown.pose.bones[name].matrix for name in names])


def resting(rig, switch="", value=0.0):
    """By bone of the figure (4, 4) in the world, of a rig that has no keys yet and these controls switched on."""
    for bone in rig.item.pose.bones:
        if switch and switch in bone:
            bone[switch] = value
    rig.item.update_tag()
    return dict(zip(rig.bones.values(), bones_at(rig.item, rig.bones.values(), 1), strict=True))


def check(person, rig, rest, frames=EVERY):
    """Sides in every frame, and hinges wherever the person's limb is bent by 10 degrees. Returns joints with a hinge.

    `rest` is as of `resting`, from before the character was moved.
    """
    theirs, own = positions(person, rig, frames)
    found = []
    for limb in [limb for limb in LIMBS if all(joint in own for joint in limb)]:
        side, names = limb[0].split("_")[0], [joint.split("_")[1] for joint in limb]
        assert np.sum(bend(theirs, side, names) * bend(own, side, names), axis=-1).min() > 0.9, limb
        bones = [rig.bones[joint] for joint in limb]
        before = np.array([rest[bone] for bone in bones])
        if bent_by(*before[:, :3, 3]) < SHOWN:
            continue
        found.append(limb[1])
        hinge = np.linalg.inv(before[0])[:3, :3] @ axis(*before[:, :3, 3])
        carried = np.array([bones_at(rig.item, bones[:1], frame)[0] for frame in frames])[:, :3, :3] @ hinge
        carried /= np.linalg.norm(carried, axis=-1, keepdims=True)
        bent = bent_by(*(theirs[joint] for joint in limb)) > np.radians(10)
        off = apart(carried, axis(*(own[joint] for joint in limb)))[bent]
        assert len(off) and off.max() < 5, (limb, off.max())
    return found


@pytest.mark.parametrize("plant_feet", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_characters_of_every_kind(scene, person, rest, kind, plant_feet):
    _, make, options = KINDS[kind]
    rig = make(rest, **options)
    before = resting(rig, "ik_fk_switch", 1.0)  # of Auto-Rig Pro
    put_on(person, rig, plant_feet=plant_feet)
    found = check(person, rig, before)
    assert len(found) == (4 if options.get("pose") == "relaxed" or kind == "ARP" else 0)


@pytest.mark.parametrize("seed", range(6))
def test_any_rest_pose(scene, person, rest, seed):
    rig = rigs.unknown(rest, seed)
    before = resting(rig)
    put_on(person, rig)
    assert len(check(person, rig, before)) >= 3


@pytest.mark.parametrize("pose", REST_POSES, ids=lambda pose: f"{np.degrees(pose.bend):.0f} degrees")
def test_limbs_that_rest_bent(scene, person, rest, pose):
    rig = rigs.unknown(rest, 3, pose)
    before = resting(rig)
    put_on(person, rig)
    assert len(check(person, rig, before)) == 4


def put_on(person, rig, **settings):
    """Retarget with the bones that are found by themselves."""
    return retargeting.retarget(
        person, rig.item, bpy.context.scene, character_files.find_rig(rig.item), RetargetSettings(**settings)
    )


@pytest.fixture
def straight_legs(rest):
    """A motion with legs that are bent by a few degrees only, the knees pointing anywhere; elbows too."""
    count = 60
    turns = np.zeros((count, 55, 3))
    around = np.linspace(0, 4 * np.pi, count)
    for sign, side in ((1, "left"), (-1, "right")):
        knee, elbow = JOINT_INDEX[f"{side}_knee"], JOINT_INDEX[f"{side}_elbow"]
        turns[:, knee, 0] = 0.06 * np.sin(around) - 0.06  # from a bit behind to nearly straight
        turns[:, knee, 2] = sign * 0.12 * np.cos(around)
        turns[:, elbow, 2] = 0.1 * np.sin(around)
        turns[:, JOINT_INDEX[f"{side}_hip"], 2] = sign * 0.1
    quaternions = rotations.continuous_quaternions(rotations.axis_angle_to_quaternion(turns))
    return SimpleNamespace(rest=rest, pelvis=np.zeros((count, 3)), quaternions=quaternions)


@pytest.mark.parametrize("controls", ["FK", "IK"])
def test_nearly_straight_limbs_of_the_same_skeleton_stay_where_they_are(scene, straight_legs, controls):
    """Wherever the person's knees and elbows point to: to the side, or behind."""
    person = add_person(scene, straight_legs)
    item = armature.create("Other", straight_legs.rest)
    scene.collection.objects.link(item)
    rig = rigs.Rig(item, {name: name for name in JOINT_NAMES})
    report = put_on(person, rig, controls=controls)
    theirs, own = positions(person, rig, range(1, 61))
    knees = [bent_by(*(theirs[f"left_{name}"] for name in JOINTS["knee"]))]
    assert np.degrees(np.min(knees)) < 3 and report.is_right  # such legs there are
    for limb in LIMBS:
        assert np.linalg.norm(theirs[limb[1]] - own[limb[1]], axis=-1).max() < 0.001, limb


@pytest.mark.parametrize(
    "now, goes",
    [
        ((0.0, 0.0, 0.0), (0, -1, 0)),
        ((0.002, 0.0, 0.0), (0, -1, 0)),
        ((0.0, 0.005, 0.0), (0, -1, 0)),
        ((0.1, 0.0, 0.0), (1, 0, 0)),
    ],
    ids=["straight", "a trace aside", "a trace behind", "plainly aside"],
)
def test_limbs_that_have_to_bend_further_do_so_where_they_are_bent(now, goes):
    """To where anatomy says (-y) only as long as they are nearly straight."""
    aside, down = np.array([now]), np.array([[0, 0, -0.4]])
    upper, lower = down + aside, down - aside
    solved = limb_solver.reach(upper, lower, np.array([[0, 0, -0.6]]), np.array([[0, -1.0, 0]]))
    np.testing.assert_allclose(solved.upper + solved.lower, [[0, 0, -0.6]], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(solved.upper), np.linalg.norm(upper), rtol=1e-9)
    side = solved.upper[0] * [1, 1, 0]
    assert apart(side / np.linalg.norm(side), np.array(goes)) < 8
