# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters of every family are recognised, and all their bones found, also where names were changed on the way."""

import re
from dataclasses import replace

import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import name_patterns, presets, recognition, rig_map

from .family_trees import FAMILIES
from .other_trees import OTHERS

KNOWN = presets.find_all()[0]
EXTREMITIES = ("thumb", "index", "middle", "ring", "pinky")


def is_finger(slot):
    return slot.rpartition("_")[2][:-1] in EXTREMITIES


def found_of(parents):
    """The preset's name and the bones by slot; which bone carries the body is seen on the armature."""
    found = recognition.find(parents, KNOWN)
    return found.preset, {slot: bones for slot, bones in found.rig.bones.items() if slot != "root"}


def truth_of(family):
    return {slot: bones for slot, bones in family.truth().items() if slot != "root"}


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_family_is_recognised_and_all_its_bones_found(kind):
    family = FAMILIES[kind]
    preset, bones = found_of(family.parents())
    assert preset == family.preset and bones == truth_of(family)


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_preset_alone_names_every_limb(kind):
    family = FAMILIES[kind]
    assert rig_map.recognise(KNOWN, family.parents()) == family.preset
    rig = rig_map.resolve(KNOWN[family.preset], list(family.parents()))
    wanted = family.truth()
    assert {slot: bones for slot, bones in rig.bones.items() if slot not in ("spine", "root")} == {
        slot: bones for slot, bones in wanted.items() if slot not in ("spine", "root")
    }
    assert set(wanted["spine"]) <= set(rig.bones["spine"])


@pytest.mark.parametrize("kind", FAMILIES)
def test_names_and_hierarchy_alone_find_as_much(kind):
    family = FAMILIES[kind]
    bones = dict(name_patterns.find(family.parents()).bones)
    wanted = truth_of(family)
    # what carries the figure may have the figure's own name; one preset knows it
    assert bones.pop("root_motion", None) in (wanted.pop("root_motion", None), None)
    if kind == "MakeHuman":  # of its five toes any will do
        assert {bones.pop(f"{side}_foot")[0][:3] for side in ("left", "right")} == {"toe"}
        wanted = {slot: names for slot, names in wanted.items() if not slot.endswith("foot")}
    assert bones == wanted


@pytest.mark.parametrize("kind", OTHERS)
def test_skeletons_that_no_preset_is_made_for(kind):
    family = OTHERS[kind]
    assert found_of(family.parents())[1] == truth_of(family)
    assert name_patterns.find(family.parents()).bones == truth_of(family)


def renamed(parents, change):
    return {change(bone): change(parent) if parent else "" for bone, parent in parents.items()}


def without(parents, *patterns):
    gone = {bone for bone in parents if any(re.search(pattern, bone) for pattern in patterns)}
    kept = {bone: parent for bone, parent in parents.items() if bone not in gone}
    while any(parent in gone for parent in kept.values()):
        kept = {bone: parents[parent] if parent in gone else parent for bone, parent in kept.items()}
    return kept


SPELT = {
    "namespace": lambda name: f"Hero:{name}",
    "armature with _": lambda name: f"Armature_{name}",
    "armature with |": lambda name: f"Armature|{name}",
    "copies": lambda name: f"{name}.001",
    "lower": str.lower,
    "upper": str.upper,
    "separators lost": lambda name: re.sub(r"[ .:\-]", "_", name),
}


@pytest.mark.parametrize("spelling", SPELT)
@pytest.mark.parametrize("kind", FAMILIES)
def test_names_that_were_changed_on_the_way(kind, spelling):
    family, change = FAMILIES[kind], SPELT[spelling]
    preset, bones = found_of(renamed(family.parents(), change))
    wanted = {slot: tuple(map(change, names)) for slot, names in truth_of(family).items()}
    assert bones == wanted
    # without capitals two kinds have the same names
    same = {"Godot Humanoid": {"VRM Humanoid"}, "MakeHuman Game Engine": {"Unreal Mannequin"}, "MetaHuman": set()}
    assert preset in {family.preset} | (same.get(family.preset, set()) if spelling in ("lower", "upper") else set())


OTHER_SIDES = {
    "Character Creator": lambda name: re.sub(r"_(L|R)_(.*)", lambda m: f"_{m[2]}_{m[1]}", name),
    "Character Creator long": lambda name: name.replace("_L_", "_Left_").replace("_R_", "_Right_"),
    "Daz Genesis 9": lambda name: re.sub(r"^([lr])_", lambda m: {"l": "left_", "r": "right_"}[m[1]], name),
    "Biped": lambda name: name.replace(" L ", " Left ").replace(" R ", " Right "),
    "Mixamo without separator": lambda name: re.sub(
        "(Left|Right)(.*)", lambda m: f"{m[2]}_{m[1][0]}", name.replace("mixamorig", "")
    ),
    "SMPL-X": lambda name: re.sub("^(left|right)_(.*)", lambda m: f"{m[2]}.{m[1][0].upper()}", name),
    "Godot": lambda name: re.sub("^(Left|Right)(.*)", lambda m: f"{m[2]}.{m[1][0]}", name),
    "MakeHuman": lambda name: re.sub(r"\.([LR])$", lambda m: {"L": "_left", "R": "_right"}[m[1]], name),
    "MMD": lambda name: re.sub(r"(.*)\.([LR])$", lambda m: {"L": "左", "R": "右"}[m[2]] + m[1], name),
}


@pytest.mark.parametrize("case", OTHER_SIDES)
def test_sides_that_are_written_otherwise(case):
    family, change = FAMILIES[case.removesuffix(" long")], OTHER_SIDES[case]
    parents = renamed(family.parents(), change)
    assert parents.keys() != family.parents().keys()
    _, bones = found_of(parents)
    assert bones == {slot: tuple(map(change, names)) for slot, names in truth_of(family).items()}


PREFIXES = {
    "Character Creator": ("CC_Base_", ("Hero_", "RL_", "", "MyHero3_")),
    "Biped": ("Bip001", ("Bip01", "Bip", "Bip002", "Hero", "Big_Guy")),
    "SMPL": ("f_avg_", ("m_avg_", "", "SMPL_")),
    "Mixamo without separator": ("mixamorig", ("mixamorig:", "mixamorig7:", "mixamorig_", "mixamorig1", "", "Hero:")),
}


@pytest.mark.parametrize("kind", PREFIXES)
def test_other_prefixes(kind):
    family, (own, others) = FAMILIES[kind], PREFIXES[kind]
    for other in others:

        def change(name, other=other):
            return other + name.removeprefix(own)

        preset, bones = found_of(renamed(family.parents(), change))
        assert bones == {slot: tuple(map(change, names)) for slot, names in truth_of(family).items()}, other
        assert preset == family.preset, other


@pytest.mark.parametrize("less", ["fingers", "toes", "both", "half a hand", "neck and jaw"])
@pytest.mark.parametrize("kind", FAMILIES)
def test_parts_that_are_missing(kind, less):
    family, parents = FAMILIES[kind], FAMILIES[kind].parents()
    toes = {bone for slot, bones in family.truth().items() if slot.endswith("_foot") for bone in bones}
    toes |= {bone for bone in parents if re.search("toe[1-5]", bone)}
    fingers = {bone for slot, bones in family.truth().items() if is_finger(slot) for bone in bones}
    last = {bone for slot, bones in family.truth().items() if is_finger(slot) and slot[-1] == "3" for bone in bones}
    trunk = {bone for slot in ("neck", "jaw") for bone in family.truth().get(slot, ())}
    gone = {"fingers": fingers, "toes": toes, "both": toes | fingers, "half a hand": last, "neck and jaw": trunk}[less]
    below = {bone for bone in parents if bone not in gone and any(up in toes & gone for up in line(bone, parents))}
    preset, bones = found_of(without(parents, *(f"^{re.escape(bone)}$" for bone in gone | below)))
    wanted = {slot: tuple(bone for bone in names if bone not in gone) for slot, names in truth_of(family).items()}
    assert bones == {slot: names for slot, names in wanted.items() if names}
    # without its jaw a MetaHuman has the mannequin's skeleton and nothing more
    assert preset == ("Unreal Mannequin" if (kind, less) == ("MetaHuman", "neck and jaw") else family.preset)


def line(bone, parents):
    while bone:
        yield bone
        bone = parents[bone]


@pytest.mark.parametrize("kind", FAMILIES)
def test_bones_besides(kind):
    family, parents = FAMILIES[kind], FAMILIES[kind].parents()
    more = dict(parents)
    for slot, bones in family.truth().items():
        if slot.partition("_")[0] in ("left", "right"):
            more[f"{bones[0]}_twist"] = bones[0]
            more[f"{bones[0]}_end"] = bones[0]
    more |= {"IK_Hand_L": "", "IK_Foot_R": "", "weapon_r": truth_of(family)["right_wrist"][0]}
    more |= {f"skirt_{number}": truth_of(family)["pelvis"][0] for number in range(12)}
    preset, bones = found_of(more)
    assert preset == family.preset and bones == truth_of(family)


def test_of_a_wrist_and_a_hand_the_upper_one_is_the_wrist():
    parents = {"Hips": "", "Chest": "Hips", "Head": "Chest"}
    for side in "LR":
        arm = [f"{name}.{side}" for name in ("Shoulder", "Elbow", "Wrist", "Hand")]
        leg = [f"{name}.{side}" for name in ("Hip", "Knee", "Ankle", "Foot", "Toe")]
        parents |= dict(zip([*arm, *leg], ["Chest", *arm[:-1], "Hips", *leg[:-1]], strict=True))
    bones = name_patterns.find(parents).bones
    assert bones["left_wrist"] == ("Wrist.L",) and bones["left_shoulder"] == ("Shoulder.L",)
    assert bones["right_ankle"] == ("Ankle.R",) and bones["right_foot"] == ("Toe.R",)


def test_a_preset_whose_bones_hang_wrongly_gives_way_to_names():
    parents = renamed(FAMILIES["MetaHuman"].parents(), lambda name: re.sub("^calf_([lr])$", r"shin_\1", name))
    parents |= {"calf_l": "root", "calf_r": "root"}  # helpers that have nothing to do with the legs
    assert rig_map.recognise(KNOWN, parents) == "MetaHuman"
    preset, bones = found_of(parents)
    assert preset == recognition.BY_NAMES and bones["left_knee"] == ("shin_l",) and bones["left_hip"] == ("thigh_l",)


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_preset_is_completed_by_names(kind):
    family = FAMILIES[kind]
    known = {family.preset: replace(KNOWN[family.preset], bones={
        slot: bones for slot, bones in KNOWN[family.preset].bones.items() if not is_finger(slot) and slot != "head"
    })}  # fmt: skip
    rig = recognition.find(family.parents(), known).rig
    wanted = truth_of(family)
    assert rig.bones["head"] == wanted["head"] and rig.bones.get("left_ring2") == wanted.get("left_ring2")


def test_a_preset_of_the_users_own_is_taken_as_it_is():
    bones = {slot: bones for slot, bones in KNOWN["Mixamo"].bones.items() if not is_finger(slot) and slot != "neck"}
    own = replace(KNOWN["Mixamo"], name="Mine", bones=bones)
    parents = FAMILIES["Mixamo without separator"].parents()
    found = recognition.find(parents, {"Mine": own})
    assert found.preset == "Mine" and found.rig == rig_map.resolve(own, parents) and "neck" not in found.rig.bones
