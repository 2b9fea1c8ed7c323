# SPDX-License-Identifier: GPL-3.0-or-later
"""What the found floor rests on: in words, in the file and in the command line's summary."""

import json
from dataclasses import asdict

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.motion.ground import Ground
from bl_ext.user_default.human3r_blender.engine.motion.ground_evidence import GroundEvidence
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.scene import ground_alignment
from bl_ext.user_default.human3r_blender.human3r_blender.sections.ground import evidence

NOTHING = GroundEvidence(0, 0.0, 0, 0.0, 0, 0.0, 0)


@pytest.fixture
def standing(synthetic):
    """Two people who stand still before a camera that does not move, for a second."""
    take = synthetic(frames=30, people=2, pose_scale=0.0)
    take.world_from_camera[:], take.heads[:] = np.eye(4), take.heads[0]
    take.heads[..., 1] = 0.0
    take.poses[:, :, 0] = rotations.matrix_to_axis_angle(rotations.axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0])))
    take.expressions[:] = 0.0
    return take


def said(found):
    root = bpy.data.objects.new("root", None)
    ground_alignment.apply(root, Ground(np.array([0.0, -1.0, 0.0]), 0.0, "feet", found))
    return evidence.floor_lines(root)


@pytest.mark.parametrize(("found", "lines"), [
    (GroundEvidence(1, 0.5, 1, 0.004, 1, 2.04, 1), [
        "Feet of 1 person stand on it for 0.5 s, 0.4 cm off", "Upright bodies: 1, 2.0 degrees off",
        "Scene points on it: 1"]),
    (GroundEvidence(3, 34.21, 60, 0.0123, 0, 0.0, 0), ["Feet of 3 people stand on it for 34.2 s, 1.2 cm off"]),
    (NOTHING, ["Not sure: nobody stands on it, and no scene points lie on it"]),
    (None, []),
])  # fmt: skip
def test_in_words(scene, found, lines):
    assert said(found) == lines


def test_another_floor_drops_what_the_last_one_rested_on(scene):
    root = bpy.data.objects.new("root", None)
    for found in (NOTHING, None):
        ground_alignment.apply(root, Ground(np.array([0.0, -1.0, 0.0]), 0.0, "feet", found))
        assert ground_alignment.evidence_of(root) == found


def test_it_is_in_the_file_and_in_the_summary(scene, standing, tmp_path):
    take, output, summary = standing.write(tmp_path / "stand.h3r"), tmp_path / "stand.blend", tmp_path / "summary.json"
    arguments = ["import", str(take), "--output", str(output), "--json", str(summary), "--no-import-points"]
    assert command_line.main(arguments) == 0
    told = json.loads(summary.read_text())["results"][0]["ground"]
    bpy.ops.wm.open_mainfile(filepath=str(output))
    (root,) = (item for item in bpy.context.scene.objects if item.get(tags.ROLE) == tags.ROOT)
    found = ground_alignment.evidence_of(root)
    assert told == {"floor": "feet", "scale": "", "evidence": asdict(found)}
    assert (found.people, found.upright, found.points) == (2, 60, 0)
    assert found.standing_s == pytest.approx(2.0, abs=0.1)
    assert evidence.floor_lines(root)[0].startswith("Feet of 2 people stand on it for 2.0 s, ")


def test_a_take_that_is_left_as_it_is_has_no_floor_in_the_summary(scene, standing, tmp_path):
    take, summary = standing.write(tmp_path / "stand.h3r"), tmp_path / "summary.json"
    arguments = [
        "import",
        str(take),
        "--output",
        str(tmp_path / "out.blend"),
        "--json",
        str(summary),
        "--ground",
        "off",
    ]
    assert command_line.main(arguments) == 0
    assert json.loads(summary.read_text())["results"][0]["ground"] == {"floor": "", "scale": "", "evidence": None}
