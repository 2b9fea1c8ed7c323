# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's exports of a take, asked for in Blender: they lie in the world that the scene shows."""

import shutil
import signal

import bpy
import numpy as np
import pytest

from tests.waiting import end_of, wait_until, work_of

from .conftest import ROOT

MAKE_TAKE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.engine.take_export import takes
takes.write(Path(sys.argv[2]))
"""
RATE, STRIDE, FRAMES = 24, 2, 4


@pytest.fixture(scope="module")
def filmed(run_engine_script, tmp_path_factory):
    """A folder with a take, `walk.h3r`, and its footage; the camera moves, and there are point maps."""
    folder = tmp_path_factory.mktemp("filmed")
    script = folder / "make.py"
    script.write_text(MAKE_TAKE)
    run_engine_script(script, ROOT, folder / "take")
    return folder / "take"


@pytest.fixture(scope="module")
def exported(filmed, run_command, tmp_path_factory):
    """Everything of the take beside its .blend, in text."""
    folder = tmp_path_factory.mktemp("exported")
    done = run_command(
        "import", filmed / "walk.h3r", "--output", folder / "set.blend",
        "--export", "colmap,ply,frame-ply,depth,masks", "--export-colmap-format", "text", "--export-images", "png",
    )  # fmt: skip
    assert done.code == 0, done.errors
    (result,) = done.results
    names = ["set.ply", "set-colmap", "set-points", "set-depth", "set-masks"]
    assert result["exports"] == [str(folder / name) for name in names]
    assert [note for note in result["export_notes"] if "touch or cover" in note]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["set.blend", *names])
    return folder


def poses(folder):
    """{image's name: (4, 4) world from camera} of a COLMAP model in text."""
    lines = (folder / "sparse" / "0" / "images.txt").read_text().splitlines()
    found = {}
    for line in lines[::2]:
        _, w, x, y, z, tx, ty, tz, _, name = line.split()
        w, x, y, z = map(float, (w, x, y, z))
        camera_from_world = np.eye(4)
        camera_from_world[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
        camera_from_world[:3, 3] = list(map(float, (tx, ty, tz)))
        found[name] = np.linalg.inv(camera_from_world)
    return found


def ply_points(path):
    """(N, 3)"""
    _, _, body = path.read_bytes().partition(b"end_header\n")
    rows = np.frombuffer(body, [("xyz", "<f4", 3), ("rgb", "u1", 3), ("confidence", "<f4")])
    return rows["xyz"]


def test_colmaps_cameras_are_the_scenes(exported):
    bpy.ops.wm.open_mainfile(filepath=str(exported / "set.blend"))
    scene, found = bpy.context.scene, poses(exported / "set-colmap")
    assert len(found) == FRAMES
    for name, pose in found.items():
        scene.frame_set(int(name[6:12]))  # files are numbered as the timeline is
        camera = np.array(scene.camera.matrix_world)
        assert np.abs(pose[:3, 3] - camera[:3, 3]).max() < 1e-4
        assert np.abs(pose[:3, :3] @ np.diag([1, -1, -1]) - camera[:3, :3]).max() < 1e-4
    words = (exported / "set-colmap" / "sparse" / "0" / "cameras.txt").read_text().split()
    lens = scene.camera.data
    assert words[:4] == ["1", "PINHOLE", "320", "180"]
    assert float(words[4]) == pytest.approx(lens.lens / lens.sensor_width * 320, abs=1e-3)
    assert float(words[6]) == pytest.approx(160 - 320 * lens.shift_x, abs=1e-3)
    assert float(words[7]) == pytest.approx(90 + 320 * lens.shift_y, abs=1e-3)


def test_points_of_both_programs_lie_in_the_same_place(exported):
    lines = (exported / "set-colmap" / "sparse" / "0" / "points3D.txt").read_text().splitlines()
    engine = np.array([line.split()[1:4] for line in lines], dtype=float)
    assert len(engine) == 500 and np.abs(engine - ply_points(exported / "set.ply")).max() < 1e-4
    for number, name in enumerate(sorted(poses(exported / "set-colmap"))):
        pose = poses(exported / "set-colmap")[name]
        cloud = ply_points(exported / "set-points" / f"frame_{1 + STRIDE * number:06d}.ply")
        local = (cloud - pose[:3, 3]) @ pose[:3, :3]
        assert local[:, 2].min() > 1.4 and local[:, 2].max() < 6.5


def test_a_missing_take_and_missing_footage_are_told(filmed, run_command, tmp_path):
    away = tmp_path / "away"
    shutil.copytree(filmed, away)
    moved = shutil.copytree(away / "footage", tmp_path / "footage")
    take = away / "walk.h3r"
    shutil.move(filmed / "footage", filmed / "elsewhere")
    try:
        done = run_command("import", take, "--output", tmp_path / "a" / "x.blend", "--export", "npz,colmap")
        assert done.code == 1 and done.results[0]["error"]["code"] == "footage-missing"
        assert "--export-footage" in done.results[0]["error"]["remedy"]
        assert not (tmp_path / "a" / "x-colmap").exists()
        done = run_command(
            "import", take, "--output", tmp_path / "b" / "x.blend", "--export", "colmap", "--export-footage", moved
        )
        assert done.code == 0 and len(list((tmp_path / "b" / "x-colmap" / "images").iterdir())) == FRAMES
    finally:
        shutil.move(filmed / "elsewhere", filmed / "footage")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "b" / "x.blend"))
    (root,) = [item for item in bpy.context.scene.objects if "human3r_take_file" in item]
    assert root["human3r_take_file"] == str(take)


def test_a_format_that_does_not_exist_or_an_engine_that_is_missing_is_told_early(filmed, run_command, tmp_path):
    for wanted, variables, code in (
        ("colmap,obj", {}, "bad-setting"),
        ("colmap", {"HUMAN3R_ENGINE_PYTHON": str(tmp_path / "none")}, "no-engine"),
    ):
        output = tmp_path / "x.blend"
        done = run_command("import", filmed / "walk.h3r", "--output", output, "--export", wanted, **variables)
        assert done.code == 1 and f"[{code}]" in done.errors and not output.exists()


def test_stopping_an_export_leaves_nothing_of_it(run_engine_script, start_command, tmp_path):
    script = tmp_path / "make.py"
    script.write_text(MAKE_TAKE.replace("takes.write(", "takes.write_long("))
    run_engine_script(script, ROOT, tmp_path / "take")
    out = tmp_path / "out"
    command = start_command(
        "import", tmp_path / "take" / "long.h3r", "--output", out / "x.blend", "--export", "chan,colmap"
    )
    images = ".human3r-*/x-colmap/images/frame_000003.jpg"
    wait_until(lambda: list(out.glob(images)), "an image", lambda: work_of(command.pid))
    command.send_signal(signal.SIGINT)
    assert end_of(command) == 130
    assert sorted(path.name for path in out.iterdir()) == ["x.blend", "x.chan"]
