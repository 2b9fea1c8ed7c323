# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths are checked before anything starts, --help has examples, and the last line says what there is now."""

import json
import re

import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.batch import checks, command_line


@pytest.fixture
def footage(tmp_path):
    """Files whose names tell the stand-in engine what to do."""
    for name in ("walk:12", "walk:7"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def run(addon, scene, stand_in, footage, capfd):
    """Run a command line in a folder; its code, its lines on standard error, the results in its summary."""

    def start(command, *arguments):
        summary = footage / "summary.json"
        code = command_line.main([command, *map(str, arguments), "--json", str(summary)])
        lines = capfd.readouterr().err.splitlines()
        results = json.loads(summary.read_text())["results"] if summary.exists() else []
        return code, lines, results

    return start


def test_the_last_line_names_people_frames_and_output(run, footage):
    code, lines, _ = run("convert", footage / "walk:12", "--output", footage / "a.blend")
    assert code == 0 and lines[-1] == f"2 people, 12 frames: {footage / 'a.blend'}"
    code, lines, _ = run("convert", footage / "walk:12", footage / "walk:7", "--output", footage / "out")
    assert code == 0 and lines[-1] == f"4 people, 19 frames: 2 files in {footage / 'out'}"


def test_a_missing_source_is_told_first_and_the_others_are_converted(run, footage):
    absent = footage / "absent.mp4"
    code, lines, results = run("convert", footage / "walk:12", absent, "--output", footage / "out")
    assert code == 1 and [result["status"] for result in results] == ["complete", "failed"]
    assert results[1]["error"]["code"] == "footage-missing"
    told = next(number for number, line in enumerate(lines) if "footage-missing" in line)
    assert told < next(number for number, line in enumerate(lines) if "walk:12" in line), "told after hours"
    assert lines[-1].startswith("2 people, 12 frames: ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--model", "absent.safetensors"), "checkpoint-missing"),
        (("--body", "absent.npz"), "body-missing"),
        (("--camera-file", "absent.npz"), "camera-file-unreadable"),
        (("--take", "walk:12/take.h3r"), "output-unwritable"),
        (("--engine-python", "/does/not/exist"), "no-engine"),
    ],
)
def test_what_all_need_is_checked_before_anything_starts(run, footage, monkeypatch, arguments, code):
    monkeypatch.chdir(footage)
    before = sorted(path.name for path in footage.iterdir())
    status, lines, results = run("convert", "walk:12", "walk:7", "--output", footage / "out", *arguments)
    assert status == 1 and [result["error"]["code"] for result in results] == [code, code]
    assert sum(f"[{code}]" in line for line in lines) == 1, "told once for each"
    assert sorted(path.name for path in footage.iterdir()) == sorted([*before, "summary.json"])


def test_a_place_below_a_file_is_refused(run, footage):
    code, lines, _ = run("convert", footage / "walk:12", "--output", footage / "walk:7" / "a.blend")
    assert code == 1 and any("is not a folder" in line for line in lines)


def test_patterns_are_footage(addon, footage):
    (footage / "shot.0001.png").touch()
    checks.check_footage(str(footage / "shot.%04d.png"))
    checks.check_footage(str(footage / "shot.####.png"))
    for missing in ("shot.mp4", "nul\0", "x" * 300):
        with pytest.raises(addon.errors.UserError):
            checks.check_footage(str(footage / missing))


@pytest.mark.parametrize("command", ["", "convert", "import", "retarget", "install-engine"])
def test_help_has_examples_that_can_be_parsed(addon, command, capsys):
    assert command_line.main([*([command] if command else []), "--help"]) == 0
    examples = re.findall(r"^  (?:blender .*--command )?human3r (.*?)(?:  .*)?$", capsys.readouterr().out, re.M)
    assert examples
    for example in examples:
        words = [word for word in example.split() if word != "--help"]
        if words and words[0] != "COMMAND":
            command_line._parser().parse_args(words)
