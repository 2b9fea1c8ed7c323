# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion, import and exports under Windows' rules for files (`tests/windows_semantics.py`), both programs."""

import os
import shutil
import sys

import pytest

from tests.windows_semantics import ROOT, python_on_windows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stands in for Windows on Linux alone")
SMALL = ("--model", "recipe:small", "--device", "cpu", "--detection-threshold", "0.3")
FORMATS = ("bvh", "npz", "fbx", "usd", "abc")


@pytest.fixture
def room(tmp_path):
    """The folder in which the rules hold."""
    folder = tmp_path / "Décor"
    folder.mkdir()
    return folder


@pytest.fixture
def run_on_windows(run_command, engine_python, room, tmp_path):
    """`run_command`, in which both programs live under the rules."""
    home = tmp_path / "python"
    python = python_on_windows(engine_python, room, home)
    variables = {"HUMAN3R_ENGINE_PYTHON": str(python), "PYTHONPATH": f"{home}{os.pathsep}{ROOT}"}
    return lambda *arguments: run_command(*arguments, **variables)


def test_videos_are_converted_imported_and_exported_and_again(run_on_windows, make_video, room):
    (room / "clips").mkdir()
    for name in ("A.mp4", "b.mp4"):
        make_video(room / "clips" / name, 8)
    places = ("--output", room / "out", "--take", room / "takes", "--export", ",".join(FORMATS))
    for repeated in ((), ("--overwrite",)):
        done = run_on_windows("convert", room / "clips", *places, *SMALL, *repeated)
        assert done.code == 0 and [result["status"] for result in done.results] == ["complete"] * 2, done.errors
    take = room / "takes" / "A.h3r"
    done = run_on_windows("import", take, "--output", room / "out" / "Imported.blend")
    assert done.code == 0, done.errors
    written = {path.suffix for path in (room / "out").iterdir()}
    assert {".blend", ".bvh", ".npz", ".fbx", ".abc"} <= written
    assert not [path for path in room.rglob("*") if path.name.startswith(".human3r-")]


def test_a_file_that_another_program_keeps_open_is_told_and_stays(run_on_windows, room, root):
    output = room / "Scene.blend"
    output.write_text("before")
    shutil.copy(root / "tests" / "fixtures" / "version-0.1.0" / "people.h3r", room / "take.h3r")
    with open(output):
        done = run_on_windows("import", room / "take.h3r", "--output", output, "--overwrite")
    assert done.code == 1 and "error [" in done.errors and "Traceback" not in done.errors
    assert output.read_text() == "before"
    assert {path.name for path in room.iterdir()} == {"Scene.blend", "take.h3r"}


def test_a_name_that_windows_keeps_is_refused_before_work_begins(run_on_windows, make_video, room):
    clip = make_video(room / "clip.mp4", 4)
    done = run_on_windows("convert", clip, "--output", room / "aux.blend", *SMALL)
    assert done.code == 1 and "error [output-reserved]" in done.errors, done.errors
    assert list(room.iterdir()) == [clip]
