# SPDX-License-Identifier: GPL-3.0-or-later
"""What other programs find in the files: units, axes, names, times. Read without Blender's importers."""

from fractions import Fraction

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting, motion
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.formats import bvh
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings
from io_scene_fbx import parse_fbx

from . import readers
from .conftest import FRAMES, SCALE

TICKS_PER_SECOND = 46186158000
"""Of FBX files' clocks."""


def export(cast, folder, *formats, **more):
    settings = ExportSettings(formats, together=False, **more)
    return exporting.export(cast.scene, cast.people[:1], folder, "take", settings).files[0]


def fbx_objects(path):
    """(settings, {name: properties}, key times in ticks) of a file; of nodes' properties those of their place."""
    root, _ = parse_fbx.parse(str(path))
    parts = {part.id: part for part in root.elems}

    def properties(element):
        return {
            item.props[0].decode(): item.props[4:]
            for part in element.elems
            if part.id == b"Properties70"
            for item in part.elems
        }

    nodes = {
        item.props[1].split(b"\0")[0].decode(): properties(item)
        for item in parts[b"Objects"].elems
        if item.id == b"Model"
    }
    times = [
        key.props[0]
        for item in parts[b"Objects"].elems
        if item.id == b"AnimationCurve"
        for key in item.elems
        if key.id == b"KeyTime"
    ]
    return properties(parts[b"GlobalSettings"]), nodes, times


@pytest.mark.parametrize(("target", "per_metre", "armature"), [("unity", 1, "Person_01"), ("unreal", 100, "Armature")])
def test_fbx_stands_upright_and_in_scale(cast, tmp_path, target, per_metre, armature):
    """The skeleton's object is not turned and not scaled: lengths in the file's own unit, y up, facing +z at rest."""
    settings, nodes, (times, *others) = fbx_objects(export(cast, tmp_path, "fbx", target=target, frame_rate=29.97))
    assert settings["UnitScaleFactor"] == [100 / per_metre]  # in centimetres
    assert (settings["UpAxis"], settings["FrontAxis"], settings["CoordAxis"]) == ([1], [2], [0])
    assert settings["CustomFrameRate"] == [pytest.approx(30000 / 1001, abs=1e-6)]
    for name in (armature, "root", f"{armature}_mesh"):
        for part, still in (("Translation", 0), ("Rotation", 0), ("Scaling", 1)):
            assert nodes[name].get(f"Lcl {part}", [still] * 3) == pytest.approx([still] * 3, abs=1e-4), name
    assert set(nodes) == {armature, f"{armature}_mesh", "root", *JOINT_NAMES}
    x, y, z = np.array(nodes["pelvis"]["Lcl Translation"]) / per_metre  # at rest, over the origin
    assert abs(x) < 1e-3 and abs(z) < 1e-3 and 0.7 * SCALE < y < 1.1 * SCALE
    for name in JOINT_NAMES:
        assert nodes[name].get("Lcl Rotation", [0] * 3) == pytest.approx([0] * 3, abs=1e-3), name
    assert all(np.array_equal(times, other) for other in others)
    expected = np.arange(len(times)) * TICKS_PER_SECOND * 1001 / 30000
    assert len(times) == FRAMES - 1 and np.abs(np.array(times) - expected).max() < 1e-6 * TICKS_PER_SECOND


def test_glb_has_one_animation_in_metres(cast, tmp_path):
    file, _ = readers.glb_file(export(cast, tmp_path, "glb", frame_rate=25.0))
    assert len(file["animations"]) == 1
    nodes = {node["name"]: node for node in file["nodes"]}
    assert set(JOINT_NAMES) <= set(nodes) and len(file["skins"]) == len(file["meshes"]) == 1
    for name in ("Person_01", "Person_01_mesh", "root"):
        assert not {"scale", "translation", "rotation", "matrix"} & set(nodes[name]), name
    assert len(file["meshes"][0]["extras"]["targetNames"]) == len(file["meshes"][0]["primitives"][0]["targets"])


def test_bvh_is_in_centimetres_and_its_rest_pose_faces_forward(cast, tmp_path):
    path = export(cast, tmp_path, "bvh", frame_rate=59.94)
    lines = [line.split() for line in path.read_text().splitlines()]
    names = [line[1] for line in lines if line[0] in ("ROOT", "JOINT")]
    assert names[0] == "pelvis" and sorted(names) == sorted(JOINT_NAMES)
    offsets = {
        name: np.array(lines[number + 2][1:], dtype=float)
        for number, line in enumerate(lines)
        for name in line[1:]
        if line[0] in ("ROOT", "JOINT")
    }
    assert 5 < offsets["left_hip"][0] < 20 and offsets["head"][1] > 5 and offsets["left_knee"][1] < -25
    assert abs(offsets["left_foot"][1]) < offsets["left_foot"][2]  # toes forward, along +z
    frames = next(int(line[1]) for line in lines if line[0] == "Frames:")
    time_s = next(float(line[2]) for line in lines if line[:2] == ["Frame", "Time:"])
    assert frames == 24 and time_s == pytest.approx(1001 / 60000, abs=1e-11)
    assert all(len(line) == 3 + 3 * 55 for line in lines[-frames:])


def test_angles_do_not_jump():
    """Of two triples of angles that make a rotation, the one near the frame before, through the poles as well."""
    times = np.linspace(0, 1, 200)[:, None]
    turns = np.concatenate([3 * np.pi * times, 0.999 * np.pi / 2 * np.sin(9 * times), -4 * np.pi * times], axis=1)
    angles = bvh.euler_zxy(_rotations(turns))
    assert np.abs(_rotations(angles) - _rotations(turns)).max() < 1e-9
    assert np.abs(np.diff(angles, axis=0)).max() < 0.2
    assert np.abs(angles - turns - (angles - turns)[0]).max() < 1e-6
    poles = np.array([[0.3, np.pi / 2, 0.2], [0.3, -np.pi / 2, 0.2]])
    assert np.abs(_rotations(bvh.euler_zxy(_rotations(poles))) - _rotations(poles)).max() < 1e-9


def _rotations(angles):
    """(T, 3, 3) rotations Rz Rx Ry of (T, 3) angles z, x, y."""

    def about(axis, angle):
        first, second = {"z": (0, 1), "x": (1, 2), "y": (2, 0)}[axis]
        turn = np.tile(np.eye(3), (len(angle), 1, 1))
        turn[:, first, first] = turn[:, second, second] = np.cos(angle)
        turn[:, first, second], turn[:, second, first] = -np.sin(angle), np.sin(angle)
        return turn

    return about("z", angles[:, 0]) @ about("x", angles[:, 1]) @ about("y", angles[:, 2])


EXACT = {
    23.976: Fraction(24000, 1001),
    25.0: Fraction(25),
    29.97: Fraction(30000, 1001),
    50.0: Fraction(50),
    59.94: Fraction(60000, 1001),
}


def give_rate(scene, rate):
    """As Blender itself has these rates: with a base in single precision."""
    scene.render.fps = round(rate)
    scene.render.fps_base = 1.0 if rate.is_integer() else 1.001


@pytest.mark.parametrize("rate_out", EXACT)
@pytest.mark.parametrize("rate_in", EXACT)
def test_ten_thousand_frames_do_not_drift(rate_in, rate_out):
    """Every frame of the export is where its exact time lies in the scene, the last as the first."""
    readers.empty_file((30, 1.0))
    scene, own, other = bpy.context.scene, EXACT[rate_in], EXACT[rate_out]
    give_rate(scene, rate_in)
    scene.frame_start, scene.frame_end = 101, 10_100
    when = motion.clock(scene, rate_out)
    assert when.rate == other
    last = len(when.scene_frames) - 1
    assert last / other <= Fraction(9_999) / own < (last + 1) / other
    for frame in (0, 1, last // 2, last):
        assert when.scene_frames[frame] == pytest.approx(float(101 + frame * own / other), abs=1e-9)
        assert when.time_s[frame] == pytest.approx(float(frame / other), abs=1e-12)


def test_a_long_motion_ends_on_time(cast, tmp_path):
    """Ten thousand frames through files: who walks straight ahead is in the files where it is in the scene."""
    give_rate(cast.scene, 59.94)
    cast.scene.frame_end = 10_000
    curve = keyframes.curves(cast.people[0])[('pose.bones["pelvis"].location', 0)]
    keyframes.replace(
        curve, np.array([1.0, 10_000.0]), np.array([0.0, 100.0]), np.full(2, keyframes.LINEAR, dtype=np.uint8)
    )
    files = exporting.export(
        cast.scene, cast.people[:1], tmp_path, "take", ExportSettings(("bvh", "npz"), frame_rate=23.976)
    ).files
    lines = [line.split() for line in files[0].read_text().splitlines()]
    count, time_s = (float(line[-1]) for line in lines if line[0] in ("Frames:", "Frame"))
    places = {
        "bvh": np.array([line[:3] for line in lines[-int(count) :]], dtype=float) / 100,
        "npz": SCALE * np.load(files[1])["trans"],
    }
    duration_s = 9_999 * 1001 / 60000
    times = {"bvh": np.arange(count) * time_s, "npz": np.arange(count) / np.load(files[1])["mocap_frame_rate"]}
    assert count == 4000 and 0 <= duration_s - times["bvh"][-1] < 1001 / 24000
    for kind, place in places.items():
        walked = np.linalg.norm(place - place[20], axis=-1)[20:]  # all else stands still by then
        expected = 100 * SCALE * (times[kind] - times[kind][20])[20:] / duration_s
        assert np.abs(walked - expected).max() < 0.001, kind
