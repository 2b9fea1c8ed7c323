# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera alone and the scene points, in files that are read as other programs read them."""

import math
import re
import sys

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.scene_files import SCENE_FILES, nuke
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from ..takes import Synthetic
from . import readers
from .conftest import FRAMES, RATE, go_to

Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""From y up to Blender's axes."""
BLENDER_ONLY = ("camera-fbx", "camera-usd", "camera-abc", "nk", "chan", "ply")
IMPORTERS = {"fbx": readers.import_fbx, "usd": readers.import_usd, "abc": readers.import_abc}


def export(cast, folder, *names, **settings):
    """Run the operator for these alone."""
    shown = cast.scene.human3r_export
    shown.formats, shown.scene_files = set(), {SCENE_FILES[name].id for name in names}
    for name, value in settings.items():
        setattr(shown, name, value)
    assert bpy.ops.human3r.export(filepath=str(folder / "walk")) == {"FINISHED"}


def turn(axis, degrees):
    """(3, 3)"""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first], matrix[first, second], matrix[second, first], matrix[second, second] = c, -s, s, c
    return matrix


def zxy(angles):
    """(3, 3) of degrees about x, y, z, the turn about z first, then x, then y."""
    return turn("y", angles[1]) @ turn("x", angles[0]) @ turn("z", angles[2])


def knobs(path):
    """{knob: values by frame} of the Camera node of a Nuke script, each a list of {frame: value}."""
    text = path.read_text()
    (body,) = re.findall(r"^Camera2 \{\n(.*?)^\}", text, re.M | re.S)
    first, last = (int(re.search(rf" {name} (-?\d+)", text).group(1)) for name in ("first_frame", "last_frame"))
    found = {}
    for line in body.splitlines():
        name, _, value = line.strip().partition(" ")
        columns = []
        for curve, number in re.findall(r"\{curve ([^}]*)\}|(-?\d[.\d]*(?:e[-+]?\d+)?)", value):
            words = curve.split()[1:] if curve else [number] * (last - first + 1)
            start = int(curve.split()[0][1:]) if curve else first
            columns.append({start + row: float(word) for row, word in enumerate(words)})
        found[name] = value if name in ("name", "rot_order") else columns
    return found, (first, last)


def place_in_picture(scene, point):
    """(2,) where Blender's camera shows a point: -1 to 1 from left to right, in the same unit from bottom to top."""
    seen = np.array(world_to_camera_view(scene, scene.camera, Vector(point)))[:2]
    height = scene.render.resolution_y / scene.render.resolution_x
    return (2 * seen - 1) * (1.0, height)


def test_a_nuke_camera_sees_what_the_scenes_camera_sees(cast, tmp_path):
    export(cast, tmp_path, "nk")
    found, (first, last) = knobs(tmp_path / "walk.nk")
    assert (first, last) == (1, FRAMES) and found["rot_order"] == "ZXY"
    assert all(set(column) == set(range(first, last + 1)) for column in found["rotate"])
    for frame in (1, 4, FRAMES):
        go_to(frame)
        camera = cast.scene.camera.matrix_world
        rotation = zxy([column[frame] for column in found["rotate"]])
        place = np.array([column[frame] for column in found["translate"]])
        assert np.abs(Z_UP @ place - camera.translation).max() < 1e-5
        assert np.abs(Z_UP @ rotation - np.array(camera.to_3x3().normalized())).max() < 1e-5
        for offset in ((0.0, 0.0, -3.0), (0.7, -0.4, -2.0)):
            point = np.array(camera @ Vector(offset))
            local = rotation.T @ (Z_UP.T @ point - place)
            focal, width = found["focal"][0][frame], found["haperture"][0][frame]
            shift = np.array([column[frame] for column in found["win_translate"]])
            shown = -local[:2] / local[2] * 2 * focal / width - shift
            assert np.abs(shown - place_in_picture(cast.scene, point)).max() < 1e-4
    assert np.ptp(list(found["focal"][0].values())) > 0.5  # it zooms
    assert " haperture 36\n" in (tmp_path / "walk.nk").read_text()  # what does not change is no curve


def test_a_chan_file_has_the_cameras_places_angles_and_opening(cast, tmp_path):
    export(cast, tmp_path, "chan", rate="60")
    rows = np.loadtxt(tmp_path / "walk.chan")
    assert rows.shape == (2 * (FRAMES - 1) + 1, 8) and rows[:, 0].tolist() == list(range(1, 2 * FRAMES))
    for row in rows[[0, 7, -1]]:
        go_to(1 + (row[0] - 1) * RATE / 60)
        camera = cast.scene.camera
        assert np.abs(Z_UP @ row[1:4] - camera.matrix_world.translation).max() < 1e-5
        assert np.abs(Z_UP @ zxy(row[4:7]) - np.array(camera.matrix_world.to_3x3().normalized())).max() < 1e-5
        height = camera.data.sensor_width * 360 / 640
        assert row[7] == pytest.approx(math.degrees(2 * math.atan(height / 2 / camera.data.lens)), abs=1e-4)


def test_angles_do_not_jump_and_stand_upright_cameras_out():
    """A camera that turns round twice, and one that looks straight down and up."""
    round_twice = np.stack([turn("z", angle) @ turn("x", 80.0) for angle in np.linspace(0, 720, 100)])
    steep = np.stack([turn("z", 40.0) @ turn("x", angle) for angle in (0.0, 180.0)])
    for turns in (round_twice, steep):
        worlds = np.tile(np.eye(4), (len(turns), 1, 1))
        worlds[:, :3, :3] = turns
        _, angles = nuke.place_and_angles(worlds)
        assert np.abs(np.stack([Z_UP @ zxy(row) for row in angles]) - turns).max() < 1e-6
    _, angles = nuke.place_and_angles(np.pad(round_twice, ((0, 0), (0, 1), (0, 1))))
    assert np.abs(np.diff(angles, axis=0)).max() < 10 and np.ptp(angles[:, 1]) == pytest.approx(720)


@pytest.mark.parametrize("kind", IMPORTERS)
def test_a_camera_alone_comes_back(cast, tmp_path, kind):
    times = np.array([0.0, 4.0, FRAMES - 1.0]) / RATE
    expected = readers.camera_views(cast.scene.frame_start, times)
    export(cast, tmp_path, f"camera-{kind}")
    assert [path.name for path in tmp_path.iterdir()] == [f"walk-camera.{kind}"]
    readers.empty_file((int(RATE), 1.0))
    first = IMPORTERS[kind](tmp_path / f"walk-camera.{kind}")
    assert [item.type for item in bpy.context.scene.objects if item.type not in ("EMPTY",)] == ["CAMERA"]
    found = readers.camera_views(first, times)
    assert np.abs(found[0] - expected[0]).max() < 1e-4 and np.abs(found[1] - expected[1]).max() < 1e-4
    frames = [0, 1, 2] if kind == "fbx" or (kind == "usd" and bpy.app.version >= (4, 5)) else [0]
    assert np.abs(found[2] - expected[2])[frames].max() < 1e-3


def test_scene_points_lie_where_the_scene_shows_them(tmp_path, scene, build):
    take = Synthetic(frames=3, people=0, points=200)
    made = build(take)
    made.root.location, made.root.scale, made.root.rotation_euler = (0.5, -2.0, 0.75), (1.25,) * 3, (0.3, -0.2, 2.0)
    bpy.context.view_layer.update()
    scene.human3r_export.formats, scene.human3r_export.scene_files = {"FBX"}, {"PLY"}  # nobody is there to be FBX
    assert bpy.ops.human3r.export(filepath=str(tmp_path / "walk")) == {"FINISHED"}
    assert [path.name for path in tmp_path.iterdir()] == ["walk.ply"]
    head, _, body = (tmp_path / "walk.ply").read_bytes().partition(b"end_header\n")
    lines = head.decode().splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"] and "element vertex 200" in lines
    kinds = {"float": "<f4", "uchar": "u1"}
    rows = np.frombuffer(body, [(w[2], kinds[w[1]]) for w in map(str.split, lines) if w[0] == "property"])
    points = tags.find(made.root[tags.TAKE], tags.POINTS)
    shown = np.array([points.matrix_world @ vertex.co for vertex in points.data.vertices])
    assert np.abs(np.stack([rows[axis] for axis in "xyz"], axis=-1) - shown).max() < 1e-5
    assert np.array_equal(np.stack([rows[name] for name in ("red", "green", "blue")], axis=-1), take.cloud_color)
    assert np.allclose(rows["confidence"], take.cloud_confidence)


@pytest.mark.parametrize(
    "name, said", [("ply", "no scene points"), ("colmap", "which take it was made from"), ("nk", "no camera")]
)
def test_what_is_not_there_is_told_before_anything_is_written(tmp_path, scene, build, name, said, monkeypatch):
    monkeypatch.setenv("HUMAN3R_ENGINE_PYTHON", sys.executable)
    build(Synthetic(frames=3, people=1, points=0), import_camera=False)
    shown = scene.human3r_export
    shown.formats, shown.scene_files = {"NPZ"}, {SCENE_FILES[name].id}
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.human3r.export(filepath=str(tmp_path / "walk"))
    assert not list(tmp_path.iterdir())


def test_existing_files_stay_unless_they_are_to_be_replaced(cast, tmp_path):
    (tmp_path / "walk.chan").write_text("mine")
    with pytest.raises(RuntimeError, match="already exists"):
        export(cast, tmp_path, "nk", "chan")
    assert [path.name for path in tmp_path.iterdir()] == ["walk.chan"]
    export(cast, tmp_path, "nk", "chan", overwrite=True)
    assert np.loadtxt(tmp_path / "walk.chan").shape == (FRAMES, 8)


def test_every_kind_has_its_place_in_saved_files():
    """Numbers and ids are saved in .blend files."""
    numbers = {name: item.number for name, item in SCENE_FILES.items()}
    assert numbers == {
        **dict(zip(BLENDER_ONLY, range(6), strict=True)),
        "colmap": 6,
        "frame-ply": 7,
        "depth": 8,
        "masks": 9,
    }
