# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of motion capture, in the layouts that the programs document: everybody is where the file has them."""

import pickle
import zlib

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files import importing, reading

from .made import MILLIMETER, RATE, SMPL_PELVIS, Z_UP, Known, body, shown_at

CAMERA = np.diag([1.0, -1.0, -1.0])
"""From a world with y up into the axes of a camera that looks along its -z, level."""
SAMPLES = (0, 11, 23)
MEAN = np.zeros(10)


@pytest.fixture
def scene():
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.render.fps = int(RATE)
    return bpy.context.scene


@pytest.fixture
def two():
    """Two people of SMPL, y up; the second goes elsewhere."""
    first, second = (Known.make(seed=seed, face=False, hands=False) for seed in (3, 4))
    return first, Known(second.poses, second.trans + np.array([0.0, 0.0, 1.5]), second.betas)


def dumped(folder, value, name="results.pkl", pack=bytes):
    (folder / name).write_bytes(pack(pickle.dumps(value)))
    return folder / name


def check(path, scene, expected, starts=(0, 0)):
    """The people of a file are where they should be; returns what was said."""
    made = importing.import_motion(path, scene)
    people = family.people_under(made.root)
    assert made.people == len(people) == len(expected)
    for person, joints, start in zip(people, expected, starts, strict=False):
        for frame in SAMPLES:
            shown = shown_at(person, 1 + start + frame)
            assert np.linalg.norm(shown - joints[frame], axis=-1).max() < MILLIMETER, (person.name, frame)
            assert not person.hide_viewport
    return " ".join(made.notes)


def smpl(known):
    """(N, 72)"""
    return known.of(*range(24))


def smpl_joints(known):
    return known.joints(SMPL_PELVIS, MEAN)


def test_gvhmr(scene, tmp_path):
    """One person of SMPL-X in a world with y up. (torch's own file is among the cases of `shared/`.)"""
    known = Known.make(face=False, hands=False)
    world, camera = (
        {
            "body_pose": a.of(*range(1, 22)),
            "betas": np.tile(a.betas, (24, 1)),
            "global_orient": a.of(0),
            "transl": a.trans,
        }
        for a in (known, known.turned(CAMERA))
    )
    value = {"smpl_params_global": world, "smpl_params_incam": camera, "K_fullimg": np.zeros((24, 3, 3))}
    said = check(dumped(tmp_path, value), scene, [known.joints()])
    assert "30 frames per second" in said and "camera" not in said
    del value["smpl_params_global"]
    assert "camera" in check(dumped(tmp_path, value), scene, [known.joints()])


def seen_from_afar(known):
    return Known(known.poses, known.trans - np.array([0.0, 0.0, 4.0]), known.betas).turned(CAMERA)


def wham(known, start, with_world=True):
    camera = seen_from_afar(known)
    world = {"pose_world": smpl(known), "trans_world": known.trans} if with_world else {}
    return {
        "pose": smpl(camera).astype(np.float32),
        "trans": camera.trans,
        "betas": np.zeros((24, 10)),
        "verts": np.zeros((24, 5, 3), np.float32),
        "frame_ids": np.arange(start, start + 24),
    } | world


def test_wham_and_who_comes_late(scene, tmp_path, two):
    value = {1: wham(two[0], 0), 4: wham(two[1], 40)}
    said = check(dumped(tmp_path, value, "wham_output.pkl"), scene, list(map(smpl_joints, two)), (0, 40))
    assert "SMPL:" in said and "camera" not in said
    late = next(item for item in bpy.context.scene.objects if item.type == "ARMATURE" and item.name.endswith("02"))
    scene.frame_set(20)
    assert late.hide_viewport


def test_wham_without_a_world(scene, tmp_path, two):
    value = {0: wham(two[0], 0, with_world=False)}
    said = check(dumped(tmp_path, value), scene, [in_camera(seen_from_afar(two[0]))])
    assert "camera" in said


def test_4d_humans(scene, tmp_path, two):
    """Frame by frame, in matrices, in the camera, compressed: the second person is missing in some frames."""
    cameras = [known.turned(CAMERA) for known in two]
    frames = {}
    for index in range(24):
        there = [0, 1] if index not in (5, 6) else [0]
        frames[f"outputs/{index:06d}.jpg"] = {
            "time": index,
            "tid": [7 - who for who in there],
            "tracked_ids": [7 - who for who in there],
            "camera": [cameras[who].trans[index].astype(np.float32) for who in there],
            "smpl": [
                {
                    "global_orient": axis_angle_to_matrix(cameras[who].poses[index, :1]),
                    "body_pose": axis_angle_to_matrix(cameras[who].poses[index, 1:24]),
                    "betas": np.zeros(10),
                }
                for who in there
            ],
            "shot": 0,
        }
    path = dumped(tmp_path, frames, "demo_walk.pkl", zlib.compress)
    expected = [in_camera(known) for known in cameras]
    said = check(path, scene, [expected[1], expected[0]])
    assert "camera" in said and "lens" in said


def in_camera(camera):
    """(24, 55, 3) of a person of SMPL in a camera's axes, in the scene: the camera stands level at the origin."""
    return camera.joints(SMPL_PELVIS, MEAN) @ Z_UP @ CAMERA @ Z_UP.T


def tram(known, turns, places, start=0):
    """What a moving camera sees of somebody: poses and places in its axes, of SMPL's pelvis."""
    count = len(known.poses)
    into = np.swapaxes(turns, 1, 2)[start : start + count]
    matrices = axis_angle_to_matrix(known.poses[:, :24])
    matrices[:, 0] = into @ matrices[:, 0]
    pelvis = known.trans + SMPL_PELVIS
    seen = (into @ (pelvis - places[start : start + count])[..., None])[..., 0] - SMPL_PELVIS
    return {
        "pred_cam": np.zeros((count, 3)),
        "pred_pose": np.zeros((count, 144)),
        "pred_shape": np.zeros((count, 10)),
        "pred_rotmat": matrices,
        "pred_trans": seen[:, None],
        "frame": np.arange(start, start + count),
    }


def tram_folder(folder, two, with_camera=True):
    rng = np.random.default_rng(9)
    turns = axis_angle_to_matrix(np.array([np.pi, 0, 0]) + 0.2 * rng.normal(size=(60, 3)))
    places = rng.normal(size=(60, 3))
    (folder / "hps").mkdir(parents=True)
    for number, (known, start) in enumerate(zip(two, (0, 30), strict=True)):
        np.save(folder / "hps" / f"hps_track_{number}.npy", tram(known, turns, places, start))
    np.save(folder / "boxes.npy", np.zeros((60, 5)))
    if with_camera:
        camera = {"world_cam_R": turns, "world_cam_T": places, "img_focal": 900.0}
        np.save(folder / "camera.npy", camera)
    return folder


def test_tram(scene, tmp_path, two):
    """A folder of tracks, and the camera that saw them: everybody in its world, whatever the camera did."""
    folder = tram_folder(tmp_path / "seq", two)
    assert reading.sources_in(folder) == [folder]
    said = check(folder, scene, list(map(smpl_joints, two)), (0, 30))
    assert "camera" not in said
    check(folder / "hps" / "hps_track_0.npy", scene, [smpl_joints(two[0])])


def test_tram_without_its_camera(scene, tmp_path, two):
    folder = tram_folder(tmp_path / "seq", two, with_camera=False)
    assert "camera" in " ".join(importing.import_motion(folder, scene).notes)


@pytest.mark.parametrize("has_world", [True, False])
def test_prompthmr(scene, tmp_path, has_world):
    first, second = Known.make(seed=5), Known.make(seed=6)
    people = {}
    for name, known, start in ((2, first, 0), (5, second, 12)):
        camera = known.turned(CAMERA)
        people[name] = {
            "frames": np.arange(start, start + 24),
            "smplx_cam": {"pose": camera.of(*range(55)), "shape": camera.betas, "trans": camera.trans},
        }
        if has_world:
            shapes = np.tile(known.betas, (24, 1))
            people[name]["smplx_world"] = {"pose": known.of(*range(55)), "shape": shapes, "trans": known.trans}
    path = dumped(tmp_path, {"people": people, "camera": {"img_focal": 1.0}})
    said = check(path, scene, [first.joints(), second.joints()], (0, 12))
    assert ("camera" in said) is not has_world


def human3r(known, turns, places):
    """(24, 2, ...) arrays of what a moving camera saw, in the order of Human3R's 53 rotations."""
    order = [*range(22), *range(25, 55), 22]
    into, poses, trans = np.swapaxes(turns, 1, 2), [], []
    for one in known:
        pelvis = body().rest_joints(one.betas)[0]
        own = one.poses.copy()
        own[:, 0] = matrix_to_axis_angle(into @ axis_angle_to_matrix(one.poses[:, 0]))
        poses.append(own[:, order])
        trans.append((into @ (one.trans + pelvis - places)[..., None])[..., 0] - pelvis)
    shapes = np.stack([np.tile(one.betas, (24, 1)) for one in known], axis=1)
    return {"rotvec": np.stack(poses, axis=1), "transl": np.stack(trans, axis=1), "shape": shapes}


@pytest.mark.parametrize("has_camera", [True, False])
def test_human3rs_own(scene, tmp_path, has_camera):
    """Its 53 rotations of several people at once; somebody who is not there has no numbers."""
    known = [Known.make(seed=5), Known.make(seed=6)]
    for one in known:
        one.poses[:, 23:25] = 0.0
    rng = np.random.default_rng(7)
    turns, places = np.tile(CAMERA, (24, 1, 1)), np.zeros((24, 3))
    if has_camera:
        turns, places = turns @ axis_angle_to_matrix(0.2 * rng.normal(size=(24, 3))), rng.normal(size=(24, 3))
    arrays = human3r(known, turns, places)
    arrays["rotvec"][4, 1] = np.nan
    if has_camera:
        arrays["cam2world"] = np.tile(np.eye(4), (24, 1, 1))
        arrays["cam2world"][:, :3, :3], arrays["cam2world"][:, :3, 3] = turns, places
    np.savez(tmp_path / "human3r.npz", **arrays)
    said = check(tmp_path / "human3r.npz", scene, [one.joints() for one in known])
    assert "gap" in said and ("camera" in said) is not has_camera


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"a": 1},
        {0: {"joints": np.zeros((3, 24, 3))}},
        {"smpl_params_global": {"transl": np.zeros((3, 3))}},
        {"people": {}},
        {"people": {1: {"smplx_world": {"pose": "x"}}}},
        {"f": {"tid": [], "smpl": [], "camera": []}},
        {"pred_rotmat": np.zeros((3, 24, 3, 3)), "pred_trans": None},
        {0: {"pose": np.zeros((3, 71)), "trans": np.zeros((3, 3))}},
        5,
        "text",
    ],
)
def test_other_values_are_refused_with_what_can_be_imported(scene, tmp_path, value):
    with pytest.raises(UserError) as refused:
        importing.import_motion(dumped(tmp_path, value), scene)
    assert refused.value.code in ("motion-not-smplx", "motion-unreadable") and "GVHMR" in refused.value.remedy
    assert not bpy.data.objects[:]


class Calls:
    """Pickles as a call."""

    def __init__(self, *call):
        self.call = call[0], call[1:]

    def __reduce__(self):
        return self.call


def test_a_call_in_a_file_is_refused_and_does_not_happen(scene, tmp_path):
    sentinel = tmp_path / "it-ran"
    call = Calls(eval, f"__import__('pathlib').Path({str(sentinel)!r}).touch()")
    path = dumped(tmp_path, {0: {"pose": np.zeros((3, 72)), "trans": call}}, "wham_output.pkl")
    with pytest.raises(UserError) as refused:
        importing.import_motion(path, scene)
    assert refused.value.code == "motion-unsafe" and "Nothing in it was executed" in refused.value.message
    assert not sentinel.exists() and not bpy.data.objects[:]


def test_who_cannot_be_read_is_left_out(scene, tmp_path, two):
    value = {0: wham(two[0], 0), 1: wham(two[1], 0) | {"pose_world": np.zeros((24, 7))}}
    said = check(dumped(tmp_path, value), scene, [smpl_joints(two[0])])
    assert "1 of the people were left out" in said


def test_folders_stand_for_what_matters_in_them(tmp_path, two):
    for name in ("hmr4d_results.pt", "other.pt", "b.npz", "._b.npz"):
        (tmp_path / name).write_bytes(b"")
    assert reading.sources_in(tmp_path) == [tmp_path / "hmr4d_results.pt"]
    (tmp_path / "hmr4d_results.pt").unlink()
    assert [path.name for path in reading.sources_in(tmp_path)] == ["b.npz", "other.pt"]
    assert reading.sources_in(tram_folder(tmp_path / "tram", two)) == [tmp_path / "tram"]
