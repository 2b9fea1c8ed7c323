# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions of others play at their true speed; the panel and the command line import whole folders of them."""

import json

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.rotations import axis_angle_to_matrix
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import body_mesh, family
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files import importing

from .made import MILLIMETER, Known, shown_at


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


def write(folder, arrays, name="walk_stageii.npz"):
    np.savez(folder / name, **arrays)
    return folder / name


@pytest.fixture
def scene():
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return bpy.context.scene


def test_a_motion_of_others_becomes_a_person(scene, tmp_path):
    scene.render.fps, scene.render.fps_base = 24, 1.001
    arrays = motion(rate=24000 / 1001)
    made = importing.import_motion(write(tmp_path, arrays), scene)
    root, notes = made.root, made.notes
    person = family.people_under(root)[0]
    assert [note for note in notes if "mannequin" in note] == list(notes)  # there is no SMPL-X body here
    assert root.name == "walk_stageii" and person in scene.objects[:]
    body = BodyModel.load(default_body_path())
    turns, betas = axis_angle_to_matrix(arrays["poses"].reshape(30, 55, 3)), np.tile(arrays["betas"][:10], (30, 1))
    expected = body.posed_joints(turns, betas, None, arrays["trans"])
    for frame in (0, 11, 29):
        assert np.linalg.norm(shown_at(person, 1 + frame) - expected[frame], axis=-1).max() < MILLIMETER
    assert (scene.render.fps, scene.frame_end) == (24, 250)


def test_it_plays_at_its_true_speed(scene, tmp_path):
    scene.render.fps = 25
    path = write(tmp_path, motion(frames=121, rate=120.0))
    root = importing.import_motion(path, scene).root
    person = family.people_under(root)[0]
    body = BodyModel.load(default_body_path())
    rest = body.rest_joints(body_mesh.shape(person.children[0]).astype(float))
    assert shown_at(person, 1 + 0.8 * 25)[0, 0] - rest[0, 0] == pytest.approx(2 * 0.8, abs=MILLIMETER)
    importing.import_motion(path, scene, set_scene_timing=True)
    assert (scene.render.fps, scene.frame_start, scene.frame_end) == (120, 1, 121)


def test_ten_thousand_frames_come_in_on_time(scene, tmp_path):
    scene.render.fps, scene.render.fps_base = 24, 1.001
    arrays = motion(frames=10_000, rate=60000 / 1001)
    arrays["trans"] = np.arange(10_000)[:, None] * [0.01, 0.0, 0.0]
    root = importing.import_motion(write(tmp_path, arrays), scene).root
    curve = keyframes.curves(family.people_under(root)[0])[('pose.bones["pelvis"].location', 0)]
    frames, values = keyframes.read(curve)
    assert np.array_equal(frames, np.arange(1, 4001))  # 2.5 frames of the file each
    assert np.abs(values - values[0] - 0.025 * (frames - 1)).max() < 1e-4


def test_another_gender_is_noted(scene, tmp_path):
    made = importing.import_motion(write(tmp_path, motion(frames=2, gender=np.array(b"female"))), scene)
    root, notes = made.root, made.notes
    assert "female" in notes[0] and root[importing.GENDER] == "female"


@pytest.fixture
def folder(tmp_path):
    """Three files: of one with y up, one with z up, and one that is no motion."""
    known = Known.make()
    for name, told in (("a.npz", known), ("b.npz", known.turned(np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])))):
        arrays = {"poses": told.of(*range(55)), "trans": told.trans, "betas": told.betas, "fps": 25}
        write(tmp_path, arrays, name)
    (tmp_path / "c.pkl").write_bytes(b"none")
    return tmp_path


def test_several_files_in_the_panel(scene, folder):
    scene.render.fps = 25
    files = [{"name": name} for name in ("a.npz", "b.npz")]
    assert bpy.ops.human3r.import_motion(directory=str(folder), files=files, filepath=str(folder / "a.npz")) == {
        "FINISHED"
    }
    expected = Known.make().joints()
    people = [item for item in scene.objects if item.type == "ARMATURE"]
    assert len(people) == 2
    for item in people:
        assert np.linalg.norm(shown_at(item, 6) - expected[5], axis=-1).max() < MILLIMETER


def test_one_bad_file_among_others(scene, folder):
    with pytest.raises(RuntimeError, match=r"c\.pkl"):
        bpy.ops.human3r.import_motion(directory=str(folder), files=[{"name": "c.pkl"}, {"name": "a.npz"}])
    assert len([item for item in scene.objects if item.type == "ARMATURE"]) == 1
    with pytest.raises(RuntimeError, match="GVHMR"):
        bpy.ops.human3r.import_motion(filepath=str(folder / "c.pkl"))


def test_the_panel_takes_axis_and_rate(scene, folder):
    path = str(folder / "a.npz")
    assert bpy.ops.human3r.import_motion(filepath=path, up_axis="z", motion_frame_rate=50.0, set_scene_timing=True)
    (item,) = [item for item in scene.objects if item.type == "ARMATURE"]
    head, foot = shown_at(item, 1)[[15, 10]]
    assert abs(head[2] - foot[2]) < 0.5 and scene.render.fps == 50


def run(folder, *arguments):
    summary = folder / "summary.json"
    code = command_line.main(["import", *map(str, arguments), "--json", str(summary)])
    return code, json.loads(summary.read_text())["results"]


def test_a_folder_on_the_command_line(folder, tmp_path_factory):
    """Each motion becomes a .blend; what is none is told, and nothing is written of it."""
    out = tmp_path_factory.mktemp("out")
    code, results = run(out, folder, "--output", out)
    assert code == 1 and sorted(path.name for path in out.glob("*.blend")) == ["a.blend", "b.blend"]
    assert [result["status"] for result in results] == ["complete", "complete", "failed"]
    assert [(result["people"], result["frames"]) for result in results[:2]] == [(1, 24), (1, 24)]
    assert "Y points up" in results[0]["note"] and "points up" not in results[1]["note"]
    assert results[2]["error"]["code"] == "motion-unreadable" and "GVHMR" in results[2]["error"]["remedy"]


def test_takes_in_a_folder_come_before_motions(folder, tmp_path_factory):
    (folder / "take.h3r").write_bytes(b"none")
    out = tmp_path_factory.mktemp("out")
    code, results = run(out, folder, "--output", out)
    assert code == 1 and [result["source"] for result in results] == [str(folder / "take.h3r")]


@pytest.mark.parametrize("name", ["walk.bvh", "walk", "walk.fbx", "empty/"])
def test_other_files_on_the_command_line_are_told_what_can_be_imported(tmp_path, name):
    (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).write_bytes(b"HIERARCHY")
    code, (result,) = run(tmp_path, tmp_path / name, "--output", tmp_path / "a.blend")
    assert code == 1 and "GVHMR" in result["error"]["remedy"] and not (tmp_path / "a.blend").exists()


def test_axis_and_rate_on_the_command_line(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "a.blend"
    arguments = ("--output", out, "--up-axis", "z", "--motion-frame-rate", "12.5")
    code, (result,) = run(out.parent, folder / "a.npz", *arguments)
    assert code == 0 and "points up" not in result["note"]
    scene = bpy.context.scene
    assert scene.render.fps / scene.render.fps_base == pytest.approx(12.5)
    (item,) = [item for item in scene.objects if item.type == "ARMATURE"]
    head, foot = shown_at(item, 1)[[15, 10]]
    assert abs(head[2] - foot[2]) < 0.5
    assert command_line.main(["import", str(folder / "a.npz"), "--output", str(out), "--up-axis", "x"]) == 2
