# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters of other programs: recognised, whole, moved as the person is, and brought with all that is theirs."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import hierarchy, recognition
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import character_files, retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from ..blender.retarget import motions, rigs
from ..blender.retarget.conftest import add_person
from ..blender.retarget.family_trees import FAMILIES
from ..blender.retarget.measuring import angles, bend, heads, limbs, positions
from ..blender.retarget.test_bringing import worlds
from ..blender.retarget.test_families_follow import FRAMES, KNOWN, moved_bones, torn
from ..blender.retarget.test_front import GODOT, LEG, knee_errors
from ..blender.retarget.test_hinges import check, put_on, resting

EVERY = range(1, 61)

pytestmark = pytest.mark.skipif(bpy.app.version < (4, 5), reason="the characters' files are Blender 5.0's")


@pytest.fixture
def character(scene, shared):
    """Gives the armature out of one of the cases' files, in the scene."""

    def bring(name):
        with bpy.data.libraries.load(str(shared / "cases" / "rigs" / f"{name}.blend")) as (there, wanted):
            wanted.objects = list(there.objects)
        item = next(item for item in wanted.objects if item.type == "ARMATURE")
        bpy.context.scene.collection.objects.link(item)
        bpy.context.view_layer.update()
        return item

    return bring


def as_rig(item, found):
    return rigs.Rig(item, {slot: names[0] for slot, names in found.bones.items() if slot in JOINT_NAMES})


@pytest.mark.parametrize("file, kind", [
    ("n_cc4", "Character Creator"), ("n_daz_g8", "Daz Genesis 8"), ("n_daz_g9", "Daz Genesis 9"), ("n_mmd", "MMD"),
    ("n_roblox", "Roblox"), ("n_biped", "Biped"), ("n_godot", "Godot"), ("smpl_addon_like", "SMPL"),
    ("mixamo_rig", "Mixamo without separator"),
])  # fmt: skip
def test_a_rig_is_known_and_followed(scene, person, character, file, kind):
    item = character(file)
    for prefix in ("mixamorig7:", "mixamorig") if file == "mixamo_rig" else ("",):
        for bone in item.data.bones:
            bone.name = bone.name.replace("mixamorig7:", prefix)
        found = recognition.find(hierarchy.parents_of(item), KNOWN)
        assert found.preset == FAMILIES[kind].preset
        rig = as_rig(item, found.rig)
        retargeting.retarget(person, item, scene, found.rig, RetargetSettings(plant_feet=False))
        measured = limbs() + [
            (f"{side}_ankle", f"{side}_foot") for side in ("left", "right") if file == "smpl_addon_like"
        ]
        errors = angles(*positions(person, rig, FRAMES), measured)
        assert max(errors.values()) < 1.0, errors
        assert torn(item, FRAMES, *moved_bones(item)) < 1e-4


@pytest.mark.parametrize("number", (0, 1))
def test_the_demos_people_keep_their_knees_in_front(scene, root, character, number):
    """On a character of the first one's skeleton."""
    person = add_person(scene, motions.demo(root / "demo" / "demo_truth.npz", number))
    item = character("n_godot")
    rig = rigs.Rig(
        item,
        {"pelvis": "Hips"}
        | {f"{side}_{joint}": side.title() + GODOT[joint] for side in ("left", "right") for joint in (*LEG, "foot")},
    )
    put_on(person, rig)
    theirs, own = positions(person, rig, range(1, scene.frame_end + 1))
    for side in ("left", "right"):
        assert np.sum(bend(theirs, side, LEG) * bend(own, side, LEG), axis=-1).min() > 0.9
    if number == 0:
        assert knee_errors(theirs, own).max() < 0.01


@pytest.mark.parametrize("name", ["body_by_modifier", "mixamo_rig", "n_biped", "n_cc4", "n_godot", "nla_add"])
def test_limbs_bend_as_the_persons(scene, person, character, name):
    item = character(name)
    found = character_files.find_rig(item)
    rig = as_rig(item, found)
    before = resting(rig)
    put_on(person, rig)
    check(person, rig, before)


def test_strips_that_add_do_not_change_the_motion(scene, person, character):
    item = character("nla_add")
    found = character_files.find_rig(item)
    rig = as_rig(item, found)
    report = put_on(person, rig, plant_feet=False)
    assert report.is_right and report.notes
    assert max(angles(*positions(person, rig, EVERY), limbs()).values()) < 0.1


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("name, size", [("body_by_modifier", 0.01), ("group_null_scale2", 2.0)])
def test_the_body_comes_along_and_keeps_its_scale(shared, person, name, size, link):
    scene = bpy.context.scene
    tags.mark(person, "take", tags.ARMATURE, 0)
    path = shared / "cases" / "rigs" / f"{name}.blend"
    (report,) = character_files.retarget_file(scene, path, link=link)
    item = scene.objects[report.character]
    np.testing.assert_allclose(item.matrix_world.to_scale(), [size] * 3, rtol=1e-5)
    assert scene.objects["Body"].modifiers[0].object == item and scene.objects["Body"].visible_get()
    shown = {found.name: np.array(found.matrix_world) for found in scene.objects if found.type in ("MESH", "EMPTY")}
    before = worlds(path)
    for part in {"Body", "Hero_grp"} & before.keys():
        np.testing.assert_allclose(shown[part], before[part], atol=1e-6)


@pytest.mark.parametrize("file, pelvis, waist", [
    ("n_cc4", "CC_Base_Pelvis", "CC_Base_Waist"), ("n_daz_g9", "pelvis", "spine1"),
])  # fmt: skip
def test_the_waist_stays_at_the_pelvis(scene, person, character, file, pelvis, waist):
    item = character(file)
    assert put_on(person, as_rig(item, character_files.find_rig(item))).is_right
    apart = np.linalg.norm(heads(item, [pelvis], EVERY) - heads(item, [waist], EVERY), axis=-1)
    np.testing.assert_allclose(apart, 0.106, atol=5e-4)
    assert np.ptp(apart) < 1e-4


def test_the_fingers_of_a_biped(scene, character):
    found = character_files.find_rig(character("n_biped")).bones
    for side in ("left", "right"):
        for number, finger in enumerate(("thumb", "index", "middle", "ring", "pinky")):
            names = [found[f"{side}_{finger}{joint}"] for joint in (1, 2, 3)]
            assert names == [(f"Bip001 {side[0].upper()} Finger{number}{end}",) for end in ("", "1", "2")]


def test_wrists_and_ankles_have_keys(scene, person, character):
    item = character("smpl_addon_like")
    put_on(person, as_rig(item, character_files.find_rig(item)))
    keyed = {path.split('"')[1] for path, _ in keyframes.curves(item) if "rotation" in path}
    assert keyed >= {f"{side}_{bone}" for side in "LR" for bone in ("Wrist", "Ankle", "Elbow", "Knee")}
