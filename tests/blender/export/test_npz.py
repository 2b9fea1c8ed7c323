# SPDX-License-Identifier: GPL-3.0-or-later
"""AMASS-style npz: what `smplx` makes of our files, what we make of others', and what is refused."""

import os
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.contract.rotations import axis_angle_to_matrix
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import body_mesh, family
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import amass, exporting, importing
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
    root, notes = importing.import_motion(path, cast.scene)
    assert not notes
    person = family.people_under(root)[0]
    assert np.abs(body_mesh.shape(person.children[0]) - betas).max() < 1e-5
    assert root[importing.GENDER] == "neutral" and root["human3r_body"] == "mannequin"
    for time_s, wanted in zip(times, expected, strict=True):
        go_to(1 + time_s * RATE)
        assert np.linalg.norm(shown_joints(person) - wanted, axis=-1).max() < MILLIMETRE
    go_to(1)
    assert person.hide_viewport and not cast.people[0].hide_viewport


def motion(frames=30, rate=120.0, joints=55, **more):
    """The arrays of a file by somebody else: a slow wave, walking along x, z up."""
    rng = np.random.default_rng(4)
    phase = np.linspace(0, 2, frames)[:, None]
    poses = 0.4 * np.sin(phase + rng.uniform(0, 6, 3 * joints))
    poses[:, :3] = [np.pi / 2, 0, 0]
    trans = np.concatenate([phase, np.zeros((frames, 1)), np.ones((frames, 1))], axis=1)
    return {
        "poses": poses,
        "trans": trans,
        "betas": rng.normal(0, 1, 16),
        "gender": np.array("neutral"),
        "mocap_frame_rate": np.array(rate),
        "surface_model_type": np.array("smplx"),
    } | more


def write(folder, arrays):
    np.savez(folder / "walk_stageii.npz", **arrays)
    return folder / "walk_stageii.npz"


@pytest.fixture
def scene():
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return bpy.context.scene


def test_a_motion_of_others_becomes_a_person(scene, tmp_path):
    scene.render.fps, scene.render.fps_base = 24, 1.001
    arrays = motion(rate=24000 / 1001)
    root, notes = importing.import_motion(write(tmp_path, arrays), scene)
    person = family.people_under(root)[0]
    assert [note for note in notes if "mannequin" in note] == list(notes)  # there is no SMPL-X body here
    assert root.name == "walk_stageii" and person in scene.objects[:]
    body = BodyModel.load(default_body_path())
    turns, betas = axis_angle_to_matrix(arrays["poses"].reshape(30, 55, 3)), np.tile(arrays["betas"][:10], (30, 1))
    expected = body.posed_joints(turns, betas, None, arrays["trans"])
    for frame in (0, 11, 29):
        go_to(1 + frame)
        assert np.linalg.norm(shown_joints(person) - expected[frame], axis=-1).max() < MILLIMETRE
    assert (scene.render.fps, scene.frame_end) == (24, 250)


def test_it_plays_at_its_true_speed(scene, tmp_path):
    scene.render.fps = 25
    path = write(tmp_path, motion(frames=121, rate=120.0))
    root, _ = importing.import_motion(path, scene)
    person = family.people_under(root)[0]
    go_to(1 + 0.8 * 25)
    body = BodyModel.load(default_body_path())
    rest = body.rest_joints(body_mesh.shape(person.children[0]).astype(float))
    assert shown_joints(person)[0, 0] - rest[0, 0] == pytest.approx(2 * 0.8, abs=MILLIMETRE)
    importing.import_motion(path, scene, set_scene_timing=True)
    assert (scene.render.fps, scene.frame_start, scene.frame_end) == (120, 1, 121)


def test_ten_thousand_frames_come_in_on_time(scene, tmp_path):
    scene.render.fps, scene.render.fps_base = 24, 1.001
    arrays = motion(frames=10_000, rate=60000 / 1001)
    arrays["trans"] = np.arange(10_000)[:, None] * [0.01, 0.0, 0.0]
    root, _ = importing.import_motion(write(tmp_path, arrays), scene)
    curve = keyframes.curves(family.people_under(root)[0])[('pose.bones["pelvis"].location', 0)]
    frames, values = keyframes.read(curve)
    assert np.array_equal(frames, np.arange(1, 4001))  # 2.5 frames of the file each
    assert np.abs(values - values[0] - 0.025 * (frames - 1)).max() < 1e-4


def test_of_smplh_body_and_hands_are_taken(scene, tmp_path):
    arrays = motion(joints=52, frames=5, rate=30.0)
    arrays["mocap_framerate"] = arrays.pop("mocap_frame_rate")
    scene.render.fps = 30
    root, notes = importing.import_motion(write(tmp_path, arrays), scene)
    assert "SMPL-H" in notes[0]
    person = family.people_under(root)[0]
    assert np.array_equal(body_mesh.shape(person.children[0]), np.zeros(10))
    go_to(3)
    turns = axis_angle_to_matrix(arrays["poses"].reshape(-1, 52, 3)[2])
    for bone, joint in (("left_elbow", 18), ("left_index1", 22), ("right_thumb3", 51)):
        assert np.abs(np.array(person.pose.bones[bone].matrix_basis)[:3, :3] - turns[joint]).max() < 1e-5, bone
    assert np.abs(np.array(person.pose.bones["jaw"].matrix_basis) - np.eye(4)).max() < 1e-6


def test_another_gender_is_noted(scene, tmp_path):
    root, notes = importing.import_motion(write(tmp_path, motion(frames=2, gender=np.array(b"female"))), scene)
    assert "female" in notes[0] and root[importing.GENDER] == "female"


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"poses": np.zeros((3, 72))}, "motion-not-smplx", "24 joints"),
        ({"poses": np.zeros((0, 165))}, "motion-not-smplx", "no frames"),
        ({"poses": np.full((3, 165), np.nan)}, "motion-unreadable", "impossible"),
        ({"poses": np.array([["a"] * 165] * 3)}, "motion-unreadable", "poses"),
        ({"trans": np.zeros((4, 3))}, "motion-unreadable", "trans"),
        ({"trans": np.zeros((3, 2))}, "motion-unreadable", "trans"),
        ({"mocap_frame_rate": np.array(0.0)}, "motion-unreadable", "rate"),
        ({"mocap_frame_rate": np.array([30.0, 30.0])}, "motion-unreadable", "rate"),
        ({"betas": np.full(10, np.inf)}, "motion-unreadable", "betas"),
        ({"human3r_scale": np.array(-1.0)}, "motion-unreadable", "scale"),
        ({"expression": np.zeros((2, 10))}, "motion-unreadable", "expression"),
        ({"gender": np.array([{"a": 1}], dtype=object)}, "motion-unreadable", ""),  # a pickle
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, change, code, said):
    path = write(tmp_path, motion(frames=3) | change)
    with pytest.raises(UserError) as refused:
        amass.read(path)
    assert refused.value.code == code and said in refused.value.message and refused.value.remedy


def test_what_is_no_motion_is_refused(tmp_path):
    for name, content, code in (("absent.npz", None, "motion-missing"), ("text.npz", b"no zip", "motion-unreadable")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError) as refused:
            amass.read(tmp_path / name)
        assert refused.value.code == code
    with pytest.raises(UserError) as refused:
        amass.read(default_body_path())
    assert refused.value.code == "motion-not-smplx" and "a body" in refused.value.message
    for missing in ("trans", "mocap_frame_rate"):
        arrays = motion(frames=2)
        del arrays[missing]
        with pytest.raises(UserError) as refused:
            amass.read(write(tmp_path, arrays))
        assert refused.value.code == "motion-unreadable" and missing in refused.value.message
