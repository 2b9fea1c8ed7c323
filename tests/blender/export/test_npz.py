# SPDX-License-Identifier: GPL-3.0-or-later
"""AMASS-style npz: what `smplx` makes of our files, and what comes in again."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import default_body_path
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import body_mesh, family
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files import importing
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings

from .conftest import FRAMES, LATE, RATE, SCALE, go_to, shown_joints

MILLIMETRE = 0.001
PARTS = {
    "root_orient": (0, 3),
    "pose_body": (3, 66),
    "pose_jaw": (66, 69),
    "pose_eye": (69, 75),
    "pose_hand": (75, 165),
}
"""Columns of the poses, as AMASS's SMPL-X files divide them."""


@pytest.fixture
def smplx_joints(tmp_path):
    """Joints of a file by the real `smplx` package, which lives in the engine's Python."""
    root = Path(__file__).resolve().parents[3]
    candidates = (os.environ.get("HUMAN3R_ENGINE_PYTHON"), root / ".environments" / "engine" / "bin" / "python")
    python = next((path for path in candidates if path and Path(path).is_file()), None)
    probe = "import importlib.util as u; raise SystemExit(not (u.find_spec('torch') and u.find_spec('smplx')))"
    if python is None or subprocess.run([python, "-c", probe]).returncode:
        pytest.skip("no engine's Python with smplx: set HUMAN3R_ENGINE_PYTHON or run build.py once")

    def run(path):
        out = tmp_path / "joints.npy"
        subprocess.run(
            [python, Path(__file__).with_name("smplx_joints.py"), default_body_path(), path, out], check=True
        )
        return np.load(out)

    return run


def export(cast, folder, rate=0.0):
    return exporting.export(cast.scene, cast.people, folder, "take", ExportSettings(("npz",), rate)).files


def test_smplx_puts_the_joints_where_the_scene_shows_them(cast, tmp_path, smplx_joints):
    """In the file the body has its natural size, and so has the place it moves through."""
    path, _ = export(cast, tmp_path, 59.94)
    times = np.arange(2 * FRAMES - 2) * 1001 / 60000
    expected = cast.joints(times[::5])["Person 01"]
    found = smplx_joints(path)
    assert len(found) == len(times)
    assert np.linalg.norm(SCALE * found[::5] - expected, axis=-1).max() < MILLIMETRE


def test_the_file_is_like_those_of_amass(cast, tmp_path):
    cast.people[0].parent[tags.BODY] = "C:\\bodies\\SMPLX_NEUTRAL.npz"
    path, _ = export(cast, tmp_path)
    with np.load(path) as file:  # which reads no pickles
        values = {name: file[name] for name in file.files}
    assert values["poses"].shape == (FRAMES, 165) and values["trans"].shape == (FRAMES, 3)
    assert values["betas"].shape == (10,) and values["num_betas"] == 10
    assert values["mocap_frame_rate"] == values["mocap_framerate"] == 30
    assert values["mocap_time_length"] == pytest.approx(FRAMES / 30)
    assert str(values["gender"]) == "neutral" and str(values["surface_model_type"]) == "smplx"
    for name, (first, end) in PARTS.items():
        assert np.array_equal(values[name], values["poses"][:, first:end]), name
    assert values["human3r_scale"] == pytest.approx(SCALE) and str(values["human3r_body"]) == "SMPLX_NEUTRAL.npz"


@pytest.mark.parametrize("rate", (0.0, 50.0))
def test_there_and_back_again(cast, tmp_path, rate):
    """A person who went out and came in stands where it stood, at moments that are frames of both."""
    path = export(cast, tmp_path, rate)[1]
    times = [0.2] if rate else [frame / RATE for frame in (LATE, LATE + 2, FRAMES - 2)]
    expected = cast.joints(times)["Person 02"]
    betas = body_mesh.shape(cast.people[1].children[0])
    made = importing.import_motion(path, cast.scene)
    root = made.root
    assert not made.notes
    person = family.people_under(root)[0]
    assert np.abs(body_mesh.shape(person.children[0]) - betas).max() < 1e-5
    assert root[importing.GENDER] == "neutral" and root["human3r_body"] == "mannequin"
    for time_s, wanted in zip(times, expected, strict=True):
        go_to(1 + time_s * RATE)
        assert np.linalg.norm(shown_joints(person) - wanted, axis=-1).max() < MILLIMETRE
    go_to(1)
    assert person.hide_viewport and not cast.people[0].hide_viewport
