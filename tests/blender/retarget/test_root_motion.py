# SPDX-License-Identifier: GPL-3.0-or-later
"""Root motion on the rig's bone on the floor: it goes where the hips go, and every other bone moves as without it."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import rig_map
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import character_files, retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.bringing import bring
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from . import rigs
from .test_rigify import generated  # noqa: F401

CC_LEG = ("Thigh", "Calf", "Foot")
LEGS = {
    "godot": ("Root", "Hips", "Hips", "{0}UpperLeg", "{0}LowerLeg", "{0}Foot"),
    "cc4": ("CC_Base_BoneRoot", "CC_Base_Hip", "CC_Base_Pelvis", *(f"CC_Base_{{1}}_{w}" for w in CC_LEG)),
    "mmd": ("全ての親", "グルーブ", "下半身", "足.{1}", "ひざ.{1}", "足首.{1}"),
    "roblox": ("Root", "LowerTorso", "LowerTorso", "{0}UpperLeg", "{0}LowerLeg", "{0}Foot"),
}
"""By shared case: the bone on the floor, those that carry the hips and turn them, and a leg's."""
FRAMES = range(1, 61, 3)
SAME = 1e-4
TURNED = 2e-4
"""Radians: Blender computes with single precision, through a dozen constraints on the lips of a Rigify human."""


def unreal(rest):
    return rigs.unreal(rest).item, "root", "pelvis"


def smplx(rest):
    item = armature.create("Other", rest)
    bpy.context.scene.collection.objects.link(item)
    return item, "root", "pelvis"


def scaled(rest):
    """Centimeters in the armature, turned about and below a group."""
    item, holder = rigs.unreal(rest).item, bpy.data.objects.new("holder", None)
    bpy.context.scene.collection.objects.link(holder)
    holder.location, holder.rotation_euler, holder.scale = (3, 1, 0.5), (0, 0, 2.0), (1.1, 1.1, 1.1)
    item.parent = holder
    bpy.context.view_layer.update()
    return item, "root", "pelvis"


def poses(item, frames=FRAMES):
    """{bone: (T, 4, 4)} in the world, of every bone."""
    found = {bone.name: [] for bone in item.pose.bones}
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for name, rows in found.items():
            rows.append(shown.matrix_world @ shown.pose.bones[name].matrix)
    return {name: np.array(rows) for name, rows in found.items()}


def both(person, item, found, **settings):
    """The poses of a character without and with root motion on its bone."""
    looks = []
    for on in (False, True):
        chosen = RetargetSettings(root_motion=on, **settings)
        retargeting.retarget(person, item, bpy.context.scene, found, chosen)
        looks.append(poses(item))
    return looks


def assert_same_but_for_the_root(off, on, root, hips, names):
    for name in names:
        size = np.linalg.norm(off[name][0, :3, 0])
        assert np.abs(off[name] - on[name])[..., :3, 3].max() < SAME, name
        assert np.abs(off[name] - on[name])[..., :3, :3].max() < TURNED * size, name
    way, wanted = on[root][:, :3, 3], off[hips][:, :3, 3]
    assert np.ptp(off[root], axis=0).max() < 1e-6 and np.ptp(wanted[:, :2], axis=0).max() > 0.5  # the person walks
    assert np.abs(way[:, 2] - off[root][0, 2, 3]).max() < 1e-4  # on the floor
    assert np.linalg.norm((way - way[0] - wanted + wanted[0])[:, :2], axis=-1).max() < 0.1
    turn = on[root][:, :3, :3] @ np.linalg.inv(off[root][0, :3, :3])
    assert np.abs(turn[:, 2, 2] - 1).max() < 1e-5  # upright
    angles = np.unwrap(np.arctan2(turn[:, 1, 0], turn[:, 0, 0]))
    front = (off[hips][:, :3, :3] @ np.linalg.inv(off[hips][0, :3, :3]))[:, :2, :2]
    faced = np.unwrap(np.arctan2(front[:, 1, 0], front[:, 0, 0]))
    assert np.ptp(faced) > 0.5 and np.abs(angles - angles[0] - faced + faced[0]).max() < 0.15


@pytest.mark.parametrize("settings", [{}, {"plant_feet": False}, {"placement": "CHARACTER"}], ids=str)
@pytest.mark.parametrize("make", [unreal, smplx, scaled])
def test_only_the_root_bone_moves_otherwise(scene, person, rest, make, settings):
    item, root, hips = make(rest)
    off, on = both(person, item, character_files.find_rig(item), **settings)
    below = {bone.name for bone in item.data.bones[hips].children_recursive} | {hips}
    assert_same_but_for_the_root(off, on, root, hips, below)
    moved = {path.split('"')[1] for path, _ in keyframes.curves(item) if path.endswith("location")}
    assert moved == {root, hips}


@pytest.mark.parametrize("controls", ["FK", "IK"])
def test_rigify_with_both_kinds_of_controls(scene, person, generated, controls):  # noqa: F811
    item = bring(scene, generated)
    found = character_files.find_rig(item)
    off, on = both(person, item, found, controls=controls)
    names = {name for name in off if name.startswith(("DEF-", "ORG-"))}
    assert len(names) > 150
    assert_same_but_for_the_root(off, on, "root", "DEF-spine", names)


@pytest.mark.skipif(bpy.app.version < (5, 0), reason="the characters' files are Blender 5.0's")
@pytest.mark.parametrize("name", LEGS)
def test_the_floor_bones_of_other_rigs(scene, person, shared, name):
    root, carrier, hips, *leg = LEGS[name]
    item = bring(scene, shared / "cases" / "rigs" / f"n_{name}.blend")
    bones = {"root": (carrier,), "pelvis": (hips,)}
    for side in ("left", "right"):
        named = [bone.format(side.title(), side[0].upper()) for bone in leg]
        bones |= {f"{side}_{joint}": (bone,) for joint, bone in zip(("hip", "knee", "ankle"), named, strict=True)}
    below = {bone.name for bone in item.data.bones[carrier].children_recursive} | {carrier}
    off, on = both(person, item, rig_map.RigMap(bones))
    assert_same_but_for_the_root(off, on, root, hips, below)


def test_a_bone_that_is_chosen_is_taken(scene, person, rest):
    item = rigs.unreal(rest).item
    found = character_files.find_rig(item)
    chosen = rig_map.RigMap({**found.bones, "root_motion": ("ik_foot_root",)})
    retargeting.retarget(person, item, scene, chosen, RetargetSettings(root_motion=True))
    moved = {path.split('"')[1] for path, _ in keyframes.curves(item) if path.endswith("location")}
    assert moved == {"ik_foot_root", "pelvis"}


@pytest.mark.parametrize("make", [rigs.mixamo, rigs.auto_rig_pro, rigs.vrm])
def test_rigs_without_a_bone_on_the_floor_say_so(scene, person, rest, make):
    item = make(rest).item
    with pytest.raises(UserError) as refused:
        retargeting.retarget(person, item, scene, character_files.find_rig(item), RetargetSettings(root_motion=True))
    assert refused.value.code == "root-bone-missing" and "Root Motion" in refused.value.remedy
    assert item.animation_data is None or item.animation_data.action is None
