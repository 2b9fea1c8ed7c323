# SPDX-License-Identifier: GPL-3.0-or-later
"""Flamenco's job type, compiled by node against a stand-in that records what the script asks of Flamenco."""

import json
import shutil
from pathlib import Path

import pytest

from tests.farm.conftest import QUICK, ended, with_root
from tests.farm.test_openjd import HARD


@pytest.fixture
def compiled():
    """What a script's `compileJob` makes of its default settings: tasks with their commands and dependencies."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node")

    def run(script):
        code, said = ended([node, Path(__file__).with_name("flamenco_author.mjs"), script])
        assert code == 0, said
        return json.loads(said)

    return run


@pytest.fixture
def clips(tmp_path):
    for name in HARD:
        (tmp_path / "clips" / f"{name}.mp4").parent.mkdir(exist_ok=True)
        (tmp_path / "clips" / f"{name}.mp4").write_bytes(b"x")
    return tmp_path / "clips"


def test_each_scene_waits_for_its_clips_and_the_report_for_all(tmp_path, clips, write_bundle, compiled):
    words = ("--format", "flamenco", "--engine", "/opt/p", "--scene", "--clips-per-task", 2, "--blender", "/opt/b")
    bundle = write_bundle(tmp_path / "job", clips, *QUICK, *words, "--scene-options", "--clean", "0")
    job = compiled(bundle / "human3r_job.js")
    tasks = job["tasks"]
    assert [task["type"] for task in tasks].count("human3r") == 3 and len(tasks) == 3 + len(HARD) + 1
    assert len({task["name"] for task in tasks}) == len(tasks)
    for task in tasks:
        [command] = task["commands"]
        assert command["name"] == "exec" and isinstance(command["parameters"]["args"], list)
        words = command["parameters"]["args"]
        if task["type"] == "human3r":
            assert command["parameters"]["exe"] == "/opt/p" and words[0].endswith("engine/farm/start.py")
            assert task["dependencies"] == []
        elif task["type"] == "blender":
            [before] = task["dependencies"]
            take = next(word for word in words if word.endswith(".h3r"))
            assert take in tasks[before]["commands"][0]["parameters"]["args"] and words[-2:] == ["--clean", "0"]
    given = [word for task in tasks[:-1] for word in task["commands"][0]["parameters"]["args"]]
    assert {str(clips / f"{name}.mp4") for name in HARD} <= set(given), "names come through as they are"
    assert tasks[-1]["dependencies"] == list(range(len(tasks) - 1))


def test_the_commands_of_a_job_run(tmp_path, make_videos, write_bundle, compiled, engine_python, blender):
    """As Flamenco's workers run them: without a shell, in the order that the dependencies give."""
    make_videos({tmp_path / "clips" / f"{name}.mp4": 3 for name in HARD[1:3]})
    words = ("--format", "flamenco", "--engine", engine_python, "--scene", "--blender", blender)
    bundle = write_bundle(tmp_path / "job", tmp_path / "clips", *QUICK, *words)
    for task in compiled(bundle / "human3r_job.js")["tasks"]:
        [command] = task["commands"]
        code, said = ended([command["parameters"]["exe"], *command["parameters"]["args"]], cwd=tmp_path)
        assert code == 0, said
    summary = json.loads((tmp_path / "job-output" / "summary.json").read_text())
    assert summary["complete"] == 2 and all(row["scene"] for row in summary["results"])


def test_lists_of_commands_run_line_by_line_in_a_shell(tmp_path, make_videos, write_bundle, engine_python, blender):
    make_videos({tmp_path / "clips" / f"{name}.mp4": 3 for name in HARD[2:4]})
    words = ("--format", "commands", "--engine", engine_python, "--scene", "--blender", blender)
    bundle = write_bundle(tmp_path / "job", tmp_path / "clips", *QUICK, *words, "--clips-per-task", 1)
    for path in sorted(bundle.glob("*.txt")):
        for line in path.read_text().splitlines():
            code, said = ended(["sh", "-c", line], cwd=tmp_path, env=with_root())
            assert code == 0, said
    assert json.loads((tmp_path / "job-output" / "summary.json").read_text())["complete"] == 2
    assert not list(tmp_path.rglob("owned"))
