# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as the files of each kind of farm; `tests/farm` has the farms' own programs run them."""

import json
import re
import shlex

import pytest

from engine.contract.errors import UserError
from engine.farm.bundle import write_bundle
from engine.farm.clips import Clip, clips_of, grouped
from engine.farm.job import ENGINE_FOLDER, make_job
from engine.farm.openjd import MOST_ITEMS
from engine.farm.settings import FarmSettings
from engine.farm.slurm import MOST_TASKS
from tests.contract.test_farm_clips import HARD

PYTHON = "/opt/human 3r/python"


def clips(count):
    return [Clip(f"/show/$(x) {number}.mp4", f"clip_{number}") for number in range(count)]


def written(folder, tasks, files=(), words=(), scene_words=(), **settings):
    job = make_job(tasks, folder / "job", FarmSettings(**settings), words, scene_words, files)
    write_bundle(job, folder / "job")
    return folder / "job"


def template(bundle):
    return json.loads((bundle / "template.yaml").read_text())


def ranges(step):
    return {one["name"]: one["range"] for one in step["parameterSpace"]["taskParameterDefinitions"]}


@pytest.mark.parametrize("count", [1, 2, 1500])
@pytest.mark.parametrize("together", [1, 8])
def test_openjd_has_every_clip_once_in_steps_of_a_size_that_is_allowed(tmp_path, count, together):
    bundle = written(tmp_path, grouped(clips(count), together), engine=PYTHON, scene=True)
    steps = {step["name"]: step for step in template(bundle)["steps"]}
    found, scenes = set(), []
    for name, step in steps.items():
        if name == "Report":
            continue
        lists = ranges(step)
        assert all(0 < len(values) <= MOST_ITEMS for values in lists.values())
        assert len(lists) <= 16, "task parameters of a step"
        if name.startswith("Scene"):
            scenes += lists["Name"]
        else:
            for key in lists:
                if key.startswith("Clip"):
                    found |= set(zip(lists[key], lists[key.replace("Clip", "Name")], strict=True))
    assert found == {(clip.source, clip.name) for clip in clips(count)}
    assert scenes == [clip.name for clip in clips(count)]
    waits = {one["dependsOn"] for one in steps["Report"]["dependencies"]}
    assert waits == {name for name in steps if name.startswith("Scene")}


def test_openjd_uses_the_standard_schema_and_no_shell(tmp_path):
    bundle = written(tmp_path, grouped(clips(3), 2), engine=PYTHON, scene=True, blender="/opt/blender")
    content = template(bundle)
    assert content["specificationVersion"] == "jobtemplate-2023-09" and "extensions" not in content
    for step in content["steps"]:
        assert step["script"]["actions"]["onRun"]["command"] in ("{{Param.EnginePython}}", "{{Param.Blender}}")
        assert len(step["name"]) <= 64
    assert content["steps"][0]["hostRequirements"] == {"amounts": [{"name": "amount.worker.gpu", "min": 1}]}
    assert "--require-gpu" in content["steps"][0]["script"]["actions"]["onRun"]["args"]


def test_paths_of_this_computer_are_in_parameters_alone(tmp_path):
    body = tmp_path / "body.npz"
    body.touch()
    bundle = written(
        tmp_path, [tuple(clips(1))], [str(body)], ["--body", str(body)], engine=PYTHON, output=str(tmp_path / "out")
    )
    content = template(bundle)
    for step in content["steps"]:
        step.pop("parameterSpace", None)
    said = json.dumps(content)
    assert not [path for path in (str(tmp_path), str(ENGINE_FOLDER), PYTHON) if path in said]
    values = json.loads((bundle / "parameters.json").read_text())
    assert values == {
        "Output": str(tmp_path / "out"), "EnginePython": PYTHON, "EngineFolder": str(ENGINE_FOLDER), "File1": str(body),
    }  # fmt: skip
    listed = json.loads((bundle / "parameter_values.yaml").read_text())["parameterValues"]
    assert {one["name"]: one["value"] for one in listed if ":" not in one["name"]} == values
    assets = json.loads((bundle / "asset_references.yaml").read_text())["assetReferences"]
    assert assets["inputs"]["filenames"] == [str(body), clips(1)[0].source]
    assert assets["outputs"] == {"directories": [str(tmp_path / "out")]}


def test_image_sequences_are_uploaded_whole(tmp_path):
    for name in ("a/001.png", "a/002.png", "shot.0001.png", "shot.0002.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    tasks = [tuple(clips_of([str(tmp_path / "a"), str(tmp_path / "shot.####.png")]))]
    bundle = written(tmp_path, tasks, engine=PYTHON)
    inputs = json.loads((bundle / "asset_references.yaml").read_text())["assetReferences"]["inputs"]
    assert inputs["directories"] == [str(tmp_path / "a")]
    assert inputs["filenames"] == [str(tmp_path / f"shot.000{number}.png") for number in (1, 2)]


@pytest.mark.parametrize("source", ["/show/{{x}}.mp4", "/show/x}}.mp4", f"/{'x' * 1024}.mp4"])
def test_what_openjd_cannot_pass_on_is_refused_and_nothing_is_left(tmp_path, source):
    with pytest.raises(UserError, match="bad-name"):
        written(tmp_path, [(Clip(source, "a"),)], engine=PYTHON)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["slurm", "commands"])
def test_no_name_of_a_clip_is_in_a_file_that_a_shell_reads(tmp_path, form):
    for number, name in enumerate(HARD):
        (tmp_path / f"{name} $(touch owned) {number}.mp4").touch()
    bundle = written(tmp_path, grouped(clips_of([str(tmp_path)]), 1), engine=PYTHON, scene=True, format=form)
    for path in bundle.iterdir():
        if path.name != "clips.json":
            assert "touch owned" not in path.read_text() and "`" not in path.read_text()
    assert len(json.loads((bundle / "clips.json").read_text())["tasks"]) == len(HARD)


@pytest.mark.parametrize("count", [1, 2, 1500])
def test_slurm_s_arrays_cover_all_tasks_and_stay_within_their_limit(tmp_path, count):
    bundle = written(tmp_path, grouped(clips(count), 1), engine=PYTHON, scene=True, format="slurm")
    submit = (bundle / "submit.sh").read_text()
    for step in ("reconstruct", "scene"):
        found = [tuple(map(int, one)) for one in re.findall(rf"{step}.sbatch (\d+) --array=0-(\d+)", submit)]
        assert all(last < MOST_TASKS for _, last in found)
        assert [start + number for start, last in found for number in range(last + 1)] == list(range(count))
    assert (bundle / "names.txt").read_text().split() == [clip.name for clip in clips(count)]
    script = (bundle / "reconstruct.sbatch").read_text()
    assert "#SBATCH --gres=gpu:1\n" in script and "\nexec " in script and "\n#SBATCH --signal=B:TERM@60\n" in script


def test_lists_of_commands_are_one_command_a_line(tmp_path):
    bundle = written(
        tmp_path, grouped(clips(3), 2), words=["--model", "my model.pt"], engine=PYTHON, scene=True, format="commands"
    )
    lines = [shlex.split(line) for line in (bundle / "1-reconstruct.txt").read_text().splitlines()]
    assert [line[-2:] for line in lines] == [["--item", "0"], ["--item", "1"]]
    assert all(line[0] == PYTHON and "my model.pt" in line for line in lines)
    assert len((bundle / "2-scene.txt").read_text().splitlines()) == 3
    [report] = (bundle / "3-report.txt").read_text().splitlines()
    assert shlex.split(report)[2:] == [
        "farm-report", "--list", f"{tmp_path}/job-output/clips.json", "--output", f"{tmp_path}/job-output", "--scene",
    ]  # fmt: skip
    assert (tmp_path / "job-output" / "clips.json").is_file()


def test_a_bundle_replaces_only_a_bundle_and_only_when_asked(tmp_path):
    job = make_job([tuple(clips(1))], tmp_path / "job", FarmSettings(engine=PYTHON))
    write_bundle(job, tmp_path / "job")
    with pytest.raises(UserError, match="bundle-exists"):
        write_bundle(job, tmp_path / "job")
    before = {path.name: path.read_bytes() for path in (tmp_path / "job").iterdir()}
    write_bundle(job, tmp_path / "job", overwrite=True)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "job").iterdir()}
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").touch()
    with pytest.raises(UserError, match="bundle-exists"):
        write_bundle(job, tmp_path / "letters", overwrite=True)
    assert (tmp_path / "letters" / "dear.txt").is_file()


def test_settings_that_do_not_go_together_are_refused(tmp_path):
    for settings, code in (
        ({"format": "commands"}, "engine-needed"),
        ({"format": "slurm", "install_engine": True}, "bad-setting"),
        ({"engine": PYTHON, "install_engine": True}, "bad-setting"),
    ):
        with pytest.raises(UserError, match=code):
            written(tmp_path, [tuple(clips(1))], **settings)
    with pytest.raises(UserError, match="bad-setting"):
        FarmSettings(clips_per_task=9)
    assert not list(tmp_path.iterdir())
