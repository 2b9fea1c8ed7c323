# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the table of docs/use/retargeting.md: characters of every kind against the person, on the bones that deform.

`python3 build.py test tests/blender/retarget/test_table.py --run-slow -s`
"""

from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import hierarchy, presets, recognition
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from . import families, rigs
from .family_trees import FAMILIES
from .measuring import angles, foot_errors, hand_errors, limbs, positions, slide, trunk
from .other_trees import OTHERS
from .test_rigify import BONES, bring, generated  # noqa: F401

EVERY = range(1, 61)
POSES = (("T", "y"), ("A", "random"), ("relaxed", "x"))
"""Rest poses and bone axes that each family is built with."""
FK, PLANTED, IK = (
    RetargetSettings(plant_feet=False),
    RetargetSettings(),
    RetargetSettings(controls="IK"),
)


def of_families(rest, kinds):
    """The skeletons of some families in different rest poses."""
    return [
        families.build(FAMILIES.get(kind) or OTHERS[kind], rest, 60 + number, *pose)
        for kind in kinds
        for number, pose in enumerate(POSES)
    ]


def other_body(scene):
    betas = np.array([2.5, -2.0, 1.5, 1.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    item = armature.create("Other", BodyModel.load(default_body_path()).rest_joints(betas))
    scene.collection.objects.link(item)
    return rigs.Rig(item, {name: name for name in JOINT_NAMES})


def characters(scene, rest, rigify_file):
    """By what the table calls them, the rigs of each kind."""
    kinds = {
        preset: [kind for kind, family in FAMILIES.items() if family.preset == preset]
        for preset in sorted({family.preset for family in FAMILIES.values()} - {"SMPL-X", "Mixamo"})
    }
    return {
        "Rigify": [rigs.Rig(bring(rigify_file, scene), BONES)],
        "SMPL-X": [other_body(scene), *of_families(rest, ["SMPL-X"])],
        "Unreal Mannequin": [rigs.unreal(rest), rigs.unreal(rest, spines=3, necks=1)],
        "Mixamo": [rigs.mixamo(rest), *of_families(rest, ["Mixamo without separator"])],
        "VRM Humanoid": [rigs.vrm(rest, names_of=kind) for kind in ("VRoid", "VRM 0", "VRM 1", "add-on")],
        "Auto-Rig Pro": [rigs.auto_rig_pro(rest)],
        **{preset: of_families(rest, found) for preset, found in kinds.items()},
        "by bone names": [*(rigs.unknown(rest, seed) for seed in range(6)), *of_families(rest, OTHERS)],
    }


def measured(person, rig, motion, scene):
    """What the table says of one character: degrees, then meters."""
    found = recognition.find(hierarchy.parents_of(rig.item), presets.find_all()[0])

    def moved(settings):
        retargeting.retarget(person, rig.item, scene, found.rig, settings)
        return positions(person, rig, EVERY)

    theirs, own = moved(FK)
    row = {"limb": max(angles(theirs, own, limbs()).values()), "trunk": trunk(theirs, own)}
    theirs, own = moved(PLANTED)
    foot = "foot" if "left_foot" in own else "ankle"
    legs = [
        (f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    row |= {"legs": max(angles(theirs, own, legs).values()), "feet": float(foot_errors(theirs, own, foot).max())}
    # of an ankle nothing stands still: it goes over the ball of the foot
    row["slide"] = slide(own, motion.standing) if foot == "foot" else 0.0
    theirs, own = moved(IK)
    row |= {"IK hands": float(hand_errors(theirs, own).max()), "IK feet": float(foot_errors(theirs, own, foot).max())}
    return found.preset, row


@pytest.mark.slow
def test_the_table_of_the_documentation(scene, person, motion, rest, generated, capsys):  # noqa: F811
    text = (Path(__file__).parents[3] / "docs" / "use" / "retargeting.md").read_text(encoding="utf-8")
    lines = []
    for kind, made in characters(scene, rest, generated).items():
        rows = []
        for rig in made:
            preset, row = measured(person, rig, motion, scene)
            assert kind == preset or kind == "by bone names", (kind, preset)
            rows.append(row)
            bpy.data.objects.remove(rig.item)
        worst = {name: max(row[name] for row in rows) for name in rows[0]}
        mm = {name: f"{1000 * worst[name]:.2g}" for name in ("feet", "slide", "IK hands", "IK feet")}
        lines.append(
            f"| {kind} | {worst['limb']:.3f}° | {worst['trunk']:.1f}° | {worst['legs']:.1f}° "
            f"| {mm['feet']} / {mm['slide']} mm | {mm['IK hands']} / {mm['IK feet']} mm |"
        )
        assert worst["limb"] < 1.0 and worst["feet"] < 0.01 and worst["IK hands"] < 0.01, (kind, worst)
    with capsys.disabled():
        print("", *lines, sep="\n")
    missing = [line for line in lines if "|".join(line.split("|")[:2]) not in text.replace("*", "")]
    assert not missing, "these kinds are not in the documentation"
