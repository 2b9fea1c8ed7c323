# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports by the operators of the sidebar and the File menu, and by the command line."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files.reading import read
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import amass
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.formats import FORMATS
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings

from tests.waiting import HANG_S

from ..takes import Synthetic
from .conftest import FRAMES

ROOT = Path(__file__).resolve().parents[3]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def select(*people):
    for item in bpy.context.selected_objects:
        item.select_set(False)
    for item in people:
        item.select_set(True)


def test_every_setting_has_a_property_that_explains_itself(cast):
    shown = cast.scene.human3r_export
    assert shown.settings() == ExportSettings(("fbx",))
    assert {item.name for item in fields(ExportSettings)} - {"frame_rate"} <= set(shown.bl_rna.properties.keys())
    for name, item in shown.bl_rna.properties.items():
        assert name in ("rna_type", "name") or len(item.description) > 15, name
    shown.formats, shown.target, shown.together = {"NPZ", "GLB"}, "UNREAL", False
    for rate, expected in (("SCENE", 0.0), ("59.94", 59.94), ("OTHER", 48.5)):
        shown.rate, shown.other_rate = rate, 48.5
        assert shown.settings() == ExportSettings(("glb", "npz"), expected, "unreal", False)


def test_the_operator_writes_what_is_set(cast, tmp_path):
    shown = cast.scene.human3r_export
    shown.formats, shown.rate = {"BVH", "NPZ"}, "59.94"
    assert bpy.ops.human3r.export(filepath=str(tmp_path / "walk.fbx")) == {"FINISHED"}
    assert names(tmp_path) == [f"walk-Person_0{n}.{kind}" for n in (1, 2) for kind in ("bvh", "npz")]
    assert len(read(tmp_path / "walk-Person_01.npz").people[0].poses) == 2 * (FRAMES - 1)
    with pytest.raises(RuntimeError, match="already exists"):
        bpy.ops.human3r.export(filepath=str(tmp_path / "walk"))
    shown.overwrite = True
    assert bpy.ops.human3r.export(filepath=str(tmp_path / "walk")) == {"FINISHED"}


def test_the_operator_takes_the_selected_people(cast, tmp_path):
    shown = cast.scene.human3r_export
    shown.formats, shown.everyone = {"NPZ"}, False
    select()
    with pytest.raises(RuntimeError, match="No people are selected"):
        bpy.ops.human3r.export(filepath=str(tmp_path / "walk"))
    cast.scene.frame_set(FRAMES)  # when nobody is hidden
    select(cast.people[1].children[0])  # a mesh stands for its person
    assert bpy.ops.human3r.export(filepath=str(tmp_path / "walk")) == {"FINISHED"}
    assert names(tmp_path) == ["walk-Person_02.npz"]
    shown.formats = set()
    with pytest.raises(RuntimeError, match="No export format"):
        bpy.ops.human3r.export(filepath=str(tmp_path / "walk"))


def test_without_people_there_is_nothing_to_export():
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert not bpy.ops.human3r.export.poll()


def test_a_motion_comes_in_and_goes_out_by_operators(tmp_path):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    rng = np.random.default_rng(2)
    given = amass.AmassMotion(25.0, 0.2 * rng.normal(size=(5, 55, 3)), rng.normal(size=(5, 3)), rng.normal(size=10))
    amass.write(tmp_path / "in.npz", given)
    assert bpy.ops.human3r.import_motion(filepath=str(tmp_path / "in.npz"), set_scene_timing=True) == {"FINISHED"}
    bpy.context.scene.human3r_export.formats = {"NPZ"}
    assert bpy.ops.human3r.export(filepath=str(tmp_path / "out")) == {"FINISHED"}
    found = read(tmp_path / "out-Person_01.npz")
    (person,) = found.people
    assert found.frame_rate == 25 and found.scale == pytest.approx(1.0, abs=1e-6) and person.hidden is None
    for name in ("poses", "trans", "betas"):
        assert np.abs(getattr(person, name) - getattr(given, name)).max() < 1e-4, name
    with pytest.raises(RuntimeError, match="no file"):
        bpy.ops.human3r.import_motion(filepath=str(tmp_path / "absent.npz"))


@pytest.fixture
def take(tmp_path):
    return Synthetic(frames=4, people=2, rate=25.0, points=0).write(tmp_path / "walk.h3r")


def run_main(folder, *arguments):
    """(exit code, results) of the add-on's command in this Blender."""
    summary = folder / "summary.json"
    code = command_line.main([*map(str, arguments), "--json", str(summary)])
    results = json.loads(summary.read_text())["results"] if summary.exists() else []
    summary.unlink(missing_ok=True)
    return code, results


def test_the_command_writes_files_beside_the_blend(take, tmp_path):
    """A process of its own, as `build.py convert` starts it."""
    # Blender 4.2 as a module crashes when its process ends after any glTF export, also without an add-on.
    formats = [kind for kind in FORMATS if kind != "glb" or bpy.app.version >= (4, 5)]
    command = [
        sys.executable,
        str(ROOT / "tools" / "run_in_module.py"),
        "import",
        str(take),
        "--output",
        str(tmp_path / "out" / "scene.blend"),
        "--export",
        ",".join(formats),
        "--export-target",
        "unreal",
        "--export-frame-rate",
        "29.97",
        "--json",
        str(tmp_path / "summary.json"),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        env=os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path / "resources")},
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads((tmp_path / "summary.json").read_text())["results"]
    assert result["status"] == "complete" and result["export_notes"] == []
    each = [f"scene-Person_0{n}.{kind}" for n in (1, 2) for kind in ("bvh", "fbx", "npz")]
    together = [f"scene.{kind}" for kind in formats if kind in ("abc", "glb", "usd", "usdz")]
    assert names(tmp_path / "out") == sorted(["scene.blend", *together, *each])
    assert sorted([*result["exports"], result["output"]]) == sorted(map(str, (tmp_path / "out").iterdir()))
    assert "scene-Person_02.fbx written" in done.stderr
    found = read(tmp_path / "out" / "scene-Person_01.npz")
    assert found.frame_rate == 30000 / 1001 and len(found.people[0].poses) == 1 + int(3 / 25 * 30000 / 1001)


def test_the_command_refuses_early_and_says_why(take, tmp_path, capsys):
    out = tmp_path / "scene.blend"
    for wrong in (("--export", "fbx,obj"), ("--export", "fbx", "--export-frame-rate", "-3")):
        code, results = run_main(tmp_path, "import", take, "--output", out, *wrong)
        assert code == 1 and not results and not out.exists()
        assert "[bad-setting]" in capsys.readouterr().err
    assert command_line.main(["import", str(take), "--output", str(out), "--export-target", "godot"]) == 2


def test_the_command_replaces_exports_only_on_request(take, tmp_path):
    (tmp_path / "scene-Person_02.npz").write_text("mine")
    arguments = ("import", take, "--output", tmp_path / "scene.blend", "--export", "npz")
    assert run_main(tmp_path, *arguments) == (1, []) and names(tmp_path) == ["scene-Person_02.npz", "walk.h3r"]
    code, (result,) = run_main(tmp_path, *arguments, "--overwrite")
    assert code == 0 and len(result["exports"]) == 2
    read(tmp_path / "scene-Person_02.npz")


def test_a_failed_export_is_told_and_the_blend_is_there(take, tmp_path):
    (tmp_path / "scene-Person_01.bvh").mkdir()  # which cannot be replaced
    code, (result,) = run_main(
        tmp_path, "import", take, "--output", tmp_path / "scene.blend", "--export", "bvh", "--overwrite"
    )
    assert code == 1 and result["status"] == "failed" and result["error"]["code"] == "output-unwritable"
    assert result["exports"] == [] and names(tmp_path) == ["scene-Person_01.bvh", "scene.blend", "walk.h3r"]


def test_a_motion_becomes_a_blend_and_other_formats(tmp_path):
    """From AMASS's format to a game engine's by one command, at the motion's own rate."""
    given = amass.AmassMotion(120.0, np.zeros((13, 55, 3)), np.zeros((13, 3)), np.zeros(10))
    amass.write(tmp_path / "still.npz", given)
    code, (result,) = run_main(
        tmp_path, "import", tmp_path / "still.npz", "--output", tmp_path / "out", "--export", "npz,bvh"
    )
    assert code == 0 and result["status"] == "complete" and (result["people"], result["frames"]) == (1, 13)
    assert names(tmp_path / "out") == ["still-Person_01.bvh", "still-Person_01.npz", "still.blend"]
    found = read(tmp_path / "out" / "still-Person_01.npz")
    (person,) = found.people
    assert found.frame_rate == 120 and np.abs(person.poses).max() < 1e-5 and np.abs(person.trans).max() < 1e-5
    (tmp_path / "torn.npz").write_bytes((tmp_path / "still.npz").read_bytes()[:500])
    code, (result,) = run_main(tmp_path, "import", tmp_path / "torn.npz", "--output", tmp_path / "torn.blend")
    assert code == 1 and result["error"]["code"] == "motion-unreadable" and not (tmp_path / "torn.blend").exists()
