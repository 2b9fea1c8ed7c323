# SPDX-License-Identifier: GPL-3.0-or-later
"""Preset files are checked on reading, say what they were run on, and come back as they were saved."""

import json
from pathlib import Path

import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import name_patterns, presets, rig_map
from bl_ext.user_default.human3r_blender.human3r_blender.rigs.slots import (
    CHAINS,
    SLOTS,
    parent_slot,
    spread,
)

from .family_trees import FAMILIES

SMALL = {
    "schema": 1,
    "name": "Mine",
    "bones": {"pelvis": "hips", "spine": ["a", "b"], "hip": "up.{side}", "knee": "low.{side}", "ankle": "foot.{side}"},
}

NEW = {family.preset for family in FAMILIES.values()} - {"Mixamo", "SMPL-X"}


def test_every_shipped_preset_reads_and_says_what_it_was_run_on():
    found, problems = presets.find_all()
    assert not problems
    assert set(found) == {"Rigify", "Mixamo", "Unreal Mannequin", "VRM Humanoid", "Auto-Rig Pro", "SMPL-X", *NEW}
    assert {found[name].tested_on for name in NEW} == {"reconstruction"}
    assert {name for name, preset in found.items() if preset.tested_on == "rig"} == {"Rigify", "SMPL-X"}
    assert found["Auto-Rig Pro"].tested_on == "reconstruction"
    assert all(preset.tested and preset.description for preset in found.values())
    for kind in (found["Auto-Rig Pro"].tested_on, presets.parse(SMALL, "x").tested_on):
        assert "has not been run on its rig" in presets.EVIDENCE[kind]


def test_the_example_in_the_documentation_is_a_preset():
    text = (Path(__file__).parents[3] / "docs" / "use" / "retargeting.md").read_text(encoding="utf-8")
    example = text[text.index('    {\n      "schema"') : text.index("\n    }\n") + 6]
    preset = presets.parse(json.loads(example), "the example")
    assert preset.name == "My Rig" and preset.bones["left_wrist"] == ("Hand.L",) and len(preset.bones["spine"]) == 2


@pytest.mark.parametrize("change, told", [
    ({"schema": 2}, "schema"), ({"extra": 1}, "extra"), ({"name": ""}, "no name"), ({"bones": {}}, "bones"),
    ({"bones": {"knie": "x"}}, "knie"), ({"bones": {"pelvis": ["a", "b"]}}, "one bone"),
    ({"bones": {"pelvis": 3}}, "pelvis"), ({"prefix": "("}, "regular expression"), ({"tested_on": "yes"}, "tested_on"),
    ({"measured": {"spine": ["a"]}}, "measured spine"), ({"ik": {"arm": {"pole": "x"}}}, "ik arm"),
    ({"ik": {"tail": {"target": "x"}}}, "tail"), ({"sides": "LR"}, "sides"),
    ({"switches": [{"bone": "a", "property": "b", "fk": "1", "ik": 0}]}, "switch"),
])  # fmt: skip
def test_what_is_wrong_with_a_file_is_told(change, told):
    with pytest.raises(UserError, match=told) as error:
        presets.parse(SMALL | change, "mine.json")
    assert error.value.code == "preset-invalid" and "mine.json" in error.value.message and error.value.remedy


def test_a_broken_file_leaves_the_others(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "mine.json").write_text(json.dumps(SMALL))
    found, problems = presets.find_all(tmp_path)
    assert "Mine" in found and len(problems) == 1 and problems[0].code == "preset-unreadable"
    assert presets.path_of("Mine", tmp_path) == tmp_path / "mine.json" and presets.path_of("Rigify", tmp_path) is None


@pytest.mark.parametrize("name", sorted(presets.find_all()[0]))
def test_saving_and_reading_gives_the_same(tmp_path, name):
    preset = presets.find_all()[0][name]
    path = presets.write(preset, tmp_path / "own")
    assert presets.read(path) == preset
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_sides_and_alternatives_and_absent_bones():
    preset = presets.parse(SMALL | {"prefix": "^x\\d*:", "sides": ["L", "R"]}, "x")
    names = ["x3:Hips", "x3:b", "up.L", "x3:up.R", "low.L", "low.R", "FOOT.L", "foot.R"]
    found = rig_map.resolve(preset, names)
    assert found.bones["pelvis"] == ("x3:Hips",) and found.bones["spine"] == ("x3:b",)
    assert found.bones["left_ankle"] == ("FOOT.L",) and found.bones["right_hip"] == ("x3:up.R",)
    with pytest.raises(UserError, match="Hips") as error:
        rig_map.resolve(preset, ["up.L"]).check(["up.L"])
    assert error.value.code == "retarget-bones-missing"


def test_rotation_is_spread_over_chains_of_any_length():
    for chain, joints in CHAINS.items():
        for count in range(1, 7):
            parts = spread(chain, count)
            assert len(parts) == count and parts[-1][1] == joints[-1] and parts[-1][2] == pytest.approx(1)
            along = [joints.index(low) + share for low, _, share in parts]
            steps = [b - a for a, b in zip([0, *along], along, strict=False)]
            assert steps == pytest.approx([(len(joints) - 1) / count] * count)
    assert {parent_slot(slot) for slot in SLOTS} <= {None, *SLOTS}


RIGS = {
    "3ds Max Biped": (
        "Bip01 {S} {part}",
        {
            "collar": "Clavicle",
            "shoulder": "UpperArm",
            "elbow": "Forearm",
            "wrist": "Hand",
            "hip": "Thigh",
            "knee": "Calf",
            "ankle": "Foot",
            "foot": "Toe0",
        },
        {"pelvis": "Bip01 Pelvis", "head": "Bip01 Head"},
        ("L", "R"),
    ),
    "lower case words": (
        "{part}_{S}",
        {
            "collar": "clavicle",
            "shoulder": "upper_arm",
            "elbow": "lower_arm",
            "wrist": "hand",
            "hip": "upper_leg",
            "knee": "lower_leg",
            "ankle": "foot",
            "foot": "toe",
        },
        {"pelvis": "hips", "head": "head"},
        ("left", "right"),
    ),
    "grown together": (
        "{S}{part}",
        {
            "collar": "shoulder",
            "shoulder": "arm",
            "elbow": "forearm",
            "wrist": "hand",
            "hip": "upleg",
            "knee": "leg",
            "ankle": "foot",
            "foot": "toebase",
        },
        {"pelvis": "pelvis", "head": "head"},
        ("left", "right"),
    ),
    "camel with letters": (
        "{S}{part}",
        {
            "collar": "Shoulder",
            "shoulder": "Arm",
            "elbow": "ForeArm",
            "wrist": "Hand",
            "hip": "Thigh",
            "knee": "Shin",
            "ankle": "Ankle",
            "foot": "Ball",
        },
        {"pelvis": "Hips", "head": "Head"},
        ("l", "r"),
    ),
    "deform bones": (
        "DEF-{part}.{S}",
        {
            "collar": "shoulder",
            "shoulder": "upper_arm",
            "elbow": "forearm",
            "wrist": "hand",
            "hip": "thigh",
            "knee": "shin",
            "ankle": "foot",
            "foot": "toe",
        },
        {"pelvis": "DEF-pelvis", "head": "DEF-head"},
        ("L", "R"),
    ),
    "no collar": (
        "{part}.{S}",
        {
            "shoulder": "Shoulder",
            "elbow": "Elbow",
            "wrist": "Wrist",
            "hip": "Hip",
            "knee": "Knee",
            "ankle": "Ankle",
            "foot": "Toes",
        },
        {"pelvis": "Pelvis", "head": "Head"},
        ("Left", "Right"),
    ),
}
LINES = (("collar", "shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "foot"))


@pytest.mark.parametrize("kind", sorted(RIGS))
def test_bones_are_found_by_what_they_are_called(kind):
    pattern, words, central, codes = RIGS[kind]
    parents = {
        central["pelvis"]: "",
        "Spine": central["pelvis"],
        "Spine1": "Spine",
        "Neck": "Spine1",
        central["head"]: "Neck",
        "Head_end": central["head"],
    }
    wanted = {
        "pelvis": (central["pelvis"],),
        "spine": ("Spine", "Spine1"),
        "neck": ("Neck",),
        "head": (central["head"],),
    }
    for side, code in zip(("left", "right"), codes, strict=True):
        for line, above in zip(LINES, ("Spine1", central["pelvis"]), strict=True):
            for slot in line:
                if slot in words:
                    name = pattern.format(S=code, part=words[slot])
                    parents[name] = above
                    parents[f"{name}_twist"] = name
                    wanted[f"{side}_{slot}"] = (name,)
                    above = name
        hand = pattern.format(S=code, part=words["wrist"])
        for finger, word in (("index", "Index"), ("pinky", "Little"), ("thumb", "Thumb")):
            above = hand
            for segment in (1, 2, 3):
                name = pattern.format(S=code, part=f"{word.lower() if kind == 'grown together' else word}{segment}")
                parents[name] = above
                above = name
                wanted[f"{side}_{finger}{segment}"] = (name,)
    assert dict(name_patterns.find(parents).bones) == wanted
