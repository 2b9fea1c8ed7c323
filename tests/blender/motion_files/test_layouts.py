# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses whole and in parts, of every body, in files of arrays: the joints are where the body model has them."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.contract.rotations import axis_angle_to_matrix
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import body_mesh, family
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files import importing, reading
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files.options import MotionOptions

from .made import MILLIMETER, RATE, SMPL_PELVIS, Z_UP, Known, away, shown_at

BODY, HANDS = range(22), range(25, 55)
SAMPLES = (0, 7, 23)


@pytest.fixture
def scene():
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.render.fps = int(RATE)
    return bpy.context.scene


def write(folder, **arrays):
    np.savez(folder / "walk.npz", **arrays)
    return folder / "walk.npz"


def imported(path, scene, **options):
    """The person of a file, and what was said but for the mannequin."""
    made = importing.import_motion(path, scene, options=MotionOptions(**options))
    (person,) = family.people_under(made.root)
    return person, [note for note in made.notes if "mannequin" not in note]


def test_whole_poses_of_smplx(scene, tmp_path):
    known = Known.make()
    path = write(tmp_path, poses=known.of(*range(55)), trans=known.trans, betas=known.betas, mocap_frame_rate=RATE)
    person, notes = imported(path, scene)
    assert away(person, known.joints(), SAMPLES) < MILLIMETER
    assert notes == ["The axis Y points up in the file. Z does now."]


PARTS = {
    "AMASS's": lambda known: {
        "root_orient": known.of(0),
        "pose_body": known.of(*BODY[1:]),
        "pose_hand": known.of(*HANDS),
        "pose_jaw": known.of(22),
        "pose_eye": known.of(23, 24),
        "trans": known.trans,
    },
    "smplx's": lambda known: {
        "global_orient": known.of(0),
        "body_pose": known.poses[:, 1:22],
        "left_hand_pose": known.of(*range(25, 40)),
        "right_hand_pose": known.of(*range(40, 55)),
        "jaw_pose": known.of(22),
        "leye_pose": known.of(23),
        "reye_pose": known.of(24),
        "transl": known.trans,
    },
    "matrices": lambda known: {
        "global_orient": axis_angle_to_matrix(known.poses[:, :1]),
        "body_pose": axis_angle_to_matrix(known.poses[:, 1:22]),
        "left_hand_pose": axis_angle_to_matrix(known.poses[:, 25:40]),
        "right_hand_pose": axis_angle_to_matrix(known.poses[:, 40:]),
        "jaw_pose": axis_angle_to_matrix(known.poses[:, 22:23]),
        "pose_eye": known.of(23, 24),
        "trans": known.trans[:, None],
    },
    "whole matrices": lambda known: {"poses": axis_angle_to_matrix(known.poses), "trans": known.trans},
    "flat matrices": lambda known: {
        "poses": axis_angle_to_matrix(known.poses).reshape(len(known.poses), -1),
        "trans": known.trans,
    },
}


@pytest.mark.parametrize("kind", PARTS)
def test_poses_in_parts(scene, tmp_path, kind):
    known = Known.make()
    path = write(tmp_path, **PARTS[kind](known), betas=known.betas, fps=30)
    person, _ = imported(path, scene)
    assert away(person, known.joints(), SAMPLES) < MILLIMETER


@pytest.mark.parametrize("joints", [24, 52])
def test_of_smplxs_relatives_the_shape_is_left_out(scene, tmp_path, joints):
    """SMPL's last two joints are its hands; neither has jaw and eyes."""
    known = Known.make(face=False, hands=joints == 52)
    poses = known.of(*BODY, *(HANDS if joints == 52 else (25, 26)))
    if joints == 24:
        poses[:, 66:] = 1.0
    path = write(tmp_path, poses=poses, trans=known.trans, betas=known.betas, mocap_framerate=RATE)
    person, notes = imported(path, scene)
    assert "SMPL-H" in notes[0] if joints == 52 else "SMPL:" in notes[0]
    assert np.array_equal(body_mesh.shape(person.children[0]), np.zeros(10))
    assert away(person, known.joints(SMPL_PELVIS, np.zeros(10)), SAMPLES) < MILLIMETER


@pytest.mark.parametrize("joints", [BODY, BODY[1:]])
def test_of_bodies_alone(scene, tmp_path, joints):
    known = Known.make(face=False, hands=False)
    if len(joints) == 21:
        known.poses[:, 0] = 0.0
    path = write(tmp_path, poses=known.of(*joints), trans=known.trans, betas=known.betas, fps=30)
    person, _ = imported(path, scene)
    assert away(person, known.joints(), SAMPLES) < MILLIMETER


def test_a_body_of_smpl_in_parts(scene, tmp_path):
    known = Known.make(face=False, hands=False)
    path = write(tmp_path, global_orient=known.of(0), body_pose=known.of(*range(1, 24)), transl=known.trans, fps=30)
    person, notes = imported(path, scene)
    assert "SMPL:" in notes[0]
    assert away(person, known.joints(SMPL_PELVIS, np.zeros(10)), SAMPLES) < MILLIMETER


def test_without_rate_and_place(scene, tmp_path):
    known = Known.make()
    person, notes = imported(write(tmp_path, poses=known.of(*range(55)), betas=known.betas), scene)
    assert any("30 frames per second" in note for note in notes) and any("origin" in note for note in notes)
    still = Known(known.poses, np.zeros_like(known.trans), known.betas)
    assert away(person, still.joints(), SAMPLES) < MILLIMETER
    person, notes = imported(tmp_path / "walk.npz", scene, motion_frame_rate=15.0)
    assert not any("assumed" in note for note in notes)
    assert np.linalg.norm(shown_at(person, 1 + 14) - still.joints()[7], axis=-1).max() < MILLIMETER


@pytest.mark.parametrize("size", [0, 1, 5, 16, 300])
def test_shapes_of_any_size_and_for_each_frame(scene, tmp_path, size):
    known, rng = Known.make(), np.random.default_rng(8)
    betas = rng.normal(0, 1, size)
    rows = betas + rng.normal(0, 0.1, (24, size))
    expected = np.zeros(10)
    expected[: min(size, 10)] = rows.mean(axis=0)[:10]
    for given in (rows, rows.mean(axis=0), rows.mean(axis=0)[None]):
        path = write(tmp_path, poses=known.of(*range(55)), trans=known.trans, betas=given, fps=30)
        person, _ = imported(path, scene)
        assert np.abs(body_mesh.shape(person.children[0]) - expected).max() < 1e-5


ODD = {
    "gender as an object": {"gender": np.array("male", dtype=object)},
    "gender as a table": {"gender": np.array([{"a": 1}], dtype=object)},
    "gender in bytes": {"gender": np.array([b"female"])},
    "a gender that is a number": {"gender": np.array(3)},
    "a text as shape": {"betas": np.array("tall")},
    "no shape": {"betas": np.full(10, np.inf)},
    "half a shape": {"betas": np.zeros((0, 10))},
    "expression of other length": {"expression": np.zeros((5, 10))},
    "expression without numbers": {"expression": np.full((24, 10), np.nan)},
    "expression of texts": {"expressions": np.array(["a"] * 24)},
    "a rate that is none": {"mocap_frame_rate": np.array(0.0)},
    "rates": {"mocap_frame_rate": np.array([30.0, 24.0])},
    "a rate that is a text": {"mocap_frame_rate": np.array("fast")},
    "a scale that is none": {"human3r_scale": np.array(-1.0)},
    "markers": {"markers": np.zeros((24, 40, 3)), "dmpls": np.zeros((24, 8))},
    "labels": {"labels": np.array(["a", None], dtype=object)},
    "hands as principal components": {"left_hand_pose": np.zeros((24, 6))},
    "hidden of other length": {"human3r_hidden": np.zeros(3, bool)},
    "frames that are none": {"frame_ids": np.array(["a"] * 24)},
}
SILENT = {"markers", "labels", "half a shape"}
"""What nobody asks for, and what says nothing."""


@pytest.mark.parametrize("kind", ODD)
def test_what_is_beside_the_poses_refuses_no_file(scene, tmp_path, kind):
    known = Known.make()
    arrays = {
        "root_orient": known.of(0),
        "pose_body": known.of(*BODY[1:]),
        "trans": known.trans,
        "betas": known.betas,
        "mocap_frame_rate": np.array(RATE),
    }
    person, notes = imported(write(tmp_path, **(arrays | ODD[kind])), scene)
    assert (len(notes) > 1) is (kind not in SILENT)  # that y was up is told of all
    shape = body_mesh.shape(person.children[0]).astype(float)
    expected = Known.make(face=False, hands=False).joints(betas=shape)
    assert away(person, expected, SAMPLES) < MILLIMETER


def test_expressions_are_cut_to_ten(scene, tmp_path):
    known, rng = Known.make(), np.random.default_rng(5)
    expressions = rng.normal(0, 1, (24, 100))
    path = write(tmp_path, poses=known.of(*range(55)), trans=known.trans, expressions=expressions, fps=30)
    person, notes = imported(path, scene)
    assert any("Of the 100 expression numbers" in note and "first 10" in note for note in notes)
    curves = keyframes.curves(person.children[0].data.shape_keys)
    for number in (0, 9):
        _, values = keyframes.read(curves[body_mesh.EXPRESSIONS[number], 0])
        assert np.abs(values - expressions[:, number]).max() < 1e-5


@pytest.mark.parametrize("bad", [[0], [11], [23], [4, 5, 6, 7]])
@pytest.mark.parametrize("where", ["poses", "trans"])
def test_frames_without_numbers_are_gaps(scene, tmp_path, bad, where):
    known = Known.make()
    arrays = {"poses": known.of(*range(55)), "trans": known.trans.copy()}
    arrays[where][bad, 1] = np.nan if len(bad) == 1 else -np.inf
    person, notes = imported(write(tmp_path, **arrays, betas=known.betas, fps=30), scene)
    assert any("gap" in note and ("One frame" in note or f"{len(bad)} frames" in note) for note in notes)
    curves = keyframes.curves(person)
    frames, values = keyframes.read(curves[('pose.bones["pelvis"].location', 0)])
    assert np.array_equal(frames - 1, np.setdiff1d(np.arange(24), bad)) and np.isfinite(values).all()
    good = [frame for frame in (1, 10, 22) if frame not in bad]
    assert away(person, known.joints(), good) < MILLIMETER


def test_frames_have_numbers(scene, tmp_path):
    """Somebody comes late, is away for long, and comes again."""
    known = Known.make()
    numbers = np.concatenate([np.arange(30, 42), np.arange(90, 102)])
    path = write(tmp_path, poses=known.of(*range(55)), trans=known.trans, betas=known.betas, fps=30, frame_ids=numbers)
    person, _ = imported(path, scene)
    expected = known.joints()
    for row in (0, 11, 12, 23):
        assert np.linalg.norm(shown_at(person, 1 + numbers[row]) - expected[row], axis=-1).max() < MILLIMETER
        assert not person.hide_viewport
    for frame in (0, 29, 42, 60, 89):
        scene.frame_set(1 + frame)
        assert person.hide_viewport, frame


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"poses": np.zeros((0, 165))}, "motion-not-smplx", "no frames"),
        ({"poses": np.zeros((3, 159))}, "motion-not-smplx", "159"),
        ({"poses": np.zeros((3, 100))}, "motion-not-smplx", "shape (3, 100)"),
        ({"poses": np.full((3, 165), np.nan)}, "motion-unreadable", "impossible"),
        ({"poses": np.array([["a"] * 165] * 3)}, "motion-not-smplx", "no numbers"),
        ({"poses": np.array([None, 1], dtype=object)}, "motion-not-smplx", "never read"),
        ({"trans": np.zeros((4, 3))}, "motion-unreadable", "trans"),
        ({"trans": np.zeros((3, 2))}, "motion-unreadable", "trans"),
    ],
)
def test_what_is_wrong_with_poses_is_said(scene, tmp_path, change, code, said):
    arrays = {"poses": np.zeros((3, 165)), "trans": np.zeros((3, 3)), "fps": 30} | change
    with pytest.raises(UserError) as refused:
        importing.import_motion(write(tmp_path, **arrays), scene)
    assert refused.value.code == code and said in refused.value.message
    for kind in ("take", "AMASS", "GVHMR", "WHAM", "4D-Humans", "TRAM", "PromptHMR", "Human3R"):
        assert kind in refused.value.remedy
    assert not bpy.data.objects[:] and not bpy.data.collections[:] and not bpy.data.actions[:]


def test_what_is_no_motion_is_refused(tmp_path):
    (tmp_path / "text.npz").write_bytes(b"no zip")
    np.savez(tmp_path / "other.npz", places=np.zeros(3))
    for name, code in (
        ("absent.npz", "motion-missing"),
        ("text.npz", "motion-unreadable"),
        ("other.npz", "motion-not-smplx"),
    ):
        with pytest.raises(UserError) as refused:
            reading.read(tmp_path / name)
        assert refused.value.code == code and "AMASS" in refused.value.remedy
    with pytest.raises(UserError) as refused:
        reading.read(default_body_path())
    assert refused.value.code == "motion-not-smplx" and "a body" in refused.value.message


def test_frames_without_end_are_refused(scene, tmp_path):
    path = write(tmp_path, poses=np.zeros((2, 165)), frame_ids=np.array([0, 3_999_999]), fps=0.01)
    with pytest.raises(UserError) as refused:
        importing.import_motion(path, scene)
    assert refused.value.code == "motion-unreadable" and not bpy.data.objects[:]


def test_upright_worlds_come_in_the_same(scene, tmp_path):
    """The same walk told in a world with y up, z up, and in a camera's axes (y down)."""
    known = Known.make()
    for turn in (np.eye(3), Z_UP, np.diag([1.0, -1.0, -1.0])):
        told = known.turned(turn)
        path = write(tmp_path, poses=told.of(*range(55)), trans=told.trans, betas=told.betas, fps=30)
        person, _ = imported(path, scene)
        assert away(person, known.joints(), SAMPLES) < MILLIMETER
