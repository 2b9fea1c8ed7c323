# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs for farms out of Blender: the command line, and *Send to Farm* with the settings of the scene."""

import json

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line

from tests.blender.takes import Synthetic


@pytest.fixture
def videos(tmp_path):
    for name in ("a b", "c"):
        (tmp_path / f"{name}.mp4").write_bytes(b"x" * 100)
    return tmp_path


def steps(bundle):
    content = json.loads((bundle / "template.yaml").read_text(encoding="utf-8"))
    return {step["name"]: step["script"]["actions"]["onRun"]["args"] for step in content["steps"]}


def test_the_command_line_passes_all_options_on_to_their_steps(videos, capfd):
    bundle = videos / "job"
    command = ["farm", str(videos), "--bundle", str(bundle)]
    scene = ["--no-import-camera", "--clean", "0.25", "--export", "bvh,npz", "--export-frame-rate", "24"]
    code = command_line.main([*command, "--quality", "preview", "--no-backdrop", "--end", "9", "--scene", *scene])
    assert code == 0 and "2 clips in 1 tasks" in capfd.readouterr().err
    made = steps(bundle)
    assert made["Reconstruct"][-5:] == ["--end", "9", "--quality", "preview", "--no-backdrop"]
    assert made["Scene"][-7:] == ["--no-import-camera", "--clean", "0.25", *scene[3:5], "--export-frame-rate", "24.0"]
    assert made["Scene"][:4] == ["--background", "--command", "human3r", "import"]


@pytest.mark.parametrize("wrong", [
    ["--scene", "--export", "docx"],
    ["--scene", "--clean", "7"],
    ["--scene", "--retarget-to", "missing.blend"],
    ["--stride", "0"],
    ["--clean", "0.25"],
    ["--clips-per-task", "100"],
])  # fmt: skip
def test_options_that_every_worker_would_refuse_are_refused_here(videos, capfd, wrong):
    assert command_line.main(["farm", str(videos), "--bundle", str(videos / "job"), *wrong]) == 1
    assert "error [" in capfd.readouterr().err and not (videos / "job").exists()


def test_a_step_s_options_are_ones_that_its_command_takes(videos, tmp_path):
    bundle, take = videos / "job", tmp_path / "t.h3r"
    options = ["--scene", "--clean", "0", "--export", "npz", "--no-show-footage", "--most-people", "3"]
    assert command_line.main(["farm", str(videos), "--bundle", str(bundle), *options]) == 0
    Synthetic(frames=3, people=1).write(take)
    output = tmp_path / "t.blend"
    words = steps(bundle)["Scene"][3:]
    places = {"{{Param.Output}}/{{Task.Param.Name}}" + file.suffix: str(file) for file in (take, output)}
    for _ in range(2):  # a task may be repeated
        assert command_line.main([places.get(word, word) for word in words]) == 0
        assert {path.suffix for path in tmp_path.glob("t*.*")} == {".blend", ".h3r", ".npz"}
    take.unlink()
    output.unlink()
    assert command_line.main([places.get(word, word) for word in words]) == 0 and not output.exists()
    assert command_line.main([places.get(word, word) for word in words if word != "--skip-missing"]) == 1


def test_send_to_farm_takes_the_chosen_files_and_the_scene_s_settings(videos):
    scene = bpy.context.scene
    scene.human3r.quality, scene.human3r.clean, scene.human3r.stature = "preview", 0.25, 1.9
    try:
        done = bpy.ops.human3r.send_to_farm(
            "EXEC_DEFAULT", directory=str(videos), files=[{"name": "a b.mp4"}], scene=True, gpu=False
        )
        assert done == {"FINISHED"}
        bundle = videos / "human3r-farm"
        assert json.loads((bundle / "clips.json").read_text())["tasks"] == [[[str(videos / "a b.mp4"), "a_b"]]]
        made = steps(bundle)
        assert made["Reconstruct"][-2:] == ["--quality", "preview"], "the height belongs to other footage"
        assert made["Scene"][-2:] == ["--clean", "0.25"]
        with pytest.raises(RuntimeError, match="already"):
            bpy.ops.human3r.send_to_farm("EXEC_DEFAULT", directory=str(videos), format="slurm")
        again = {"directory": str(videos), "format": "slurm", "overwrite": True}
        assert bpy.ops.human3r.send_to_farm("EXEC_DEFAULT", **again) == {"FINISHED"}
        assert (
            len(json.loads((bundle / "clips.json").read_text())["tasks"][0]) == 2 and (bundle / "submit.sh").is_file()
        )
    finally:
        scene.human3r.use_defaults()
