# SPDX-License-Identifier: GPL-3.0-or-later
"""The small inputs of `shared/`, as they lie there: everybody stands, moves as far as the file says, and what could not
be used is told."""

import json

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes

from ..blender.motion_files.made import MILLIMETER, shown_at

CASES = {
    "y_up.npz": (60, 30, ["Y points up", "100 expression numbers"]),
    "parts_only.npz": (60, 30, ["Y points up"]),
    "smplx_keys.npz": (60, 30, ["Y points up"]),
    "smpl72.npz": (60, 30, ["SMPL:", "female", "Y points up"]),
    "amass_old_smplh.npz": (60, 120, ["SMPL-H", "gender", "Y points up"]),
    "expression_100.npz": (20, 120, ["100 expression numbers", "female"]),
    "gender_bytes_array.npz": (20, 120, ["male body"]),
    "one_nan_frame.npz": (20, 120, ["One frame", "gap"]),
    "hmr4d_results.pt": (60, 30, ["30 frames per second"]),
    "wham_output.pkl": (60, 30, ["SMPL:", "30 frames per second"]),
}
"""Frames, their rate, and what is said."""


@pytest.mark.parametrize("name", CASES)
def test_a_case(shared, tmp_path, name):
    path = shared / "cases" / "motions" / name
    frames, rate, said = CASES[name]
    summary = tmp_path / "summary.json"
    code = command_line.main(["import", str(path), "--output", str(tmp_path / "a.blend"), "--json", str(summary)])
    (result,) = json.loads(summary.read_text())["results"]
    assert code == 0 and (result["people"], result["frames"]) == (1, frames)
    assert all(words in result["note"] for words in said), result["note"]
    scene = bpy.context.scene
    assert scene.render.fps == rate and (scene.frame_start, scene.frame_end) == (1, frames)
    (person,) = [item for item in scene.objects if item.type == "ARMATURE"]
    first, last = shown_at(person, 1), shown_at(person, frames)
    for joints in (first, last):
        up = joints[15] - joints[[7, 8]].mean(axis=0)
        assert up[2] / np.linalg.norm(up) > 0.9
    moved = last[0] - first[0]
    assert abs(np.abs(moved).max() - 1.0) < MILLIMETER and np.sort(np.abs(moved))[1] < MILLIMETER
    for curve in keyframes.curves(person).values():
        assert np.isfinite(keyframes.read(curve)[1]).all()
