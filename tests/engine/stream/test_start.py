# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine's programs load: a capture waits for nothing that it does not use."""

import json
import subprocess
import sys

import pytest

from engine.__main__ import COMMANDS, main
from tests.engine.stream.engine_process import ENVIRONMENT, ROOT
from tests.engine.stream.footage_files import busy_picture, write_video

LABORATORY = ("engine.training", "engine.evaluation", "engine.synthetic")
LIBRARIES = ("torch", "scipy", "cv2")


def loaded_by(*arguments, folder):
    """Run one command line of the engine to its end; the exit code and the modules that it loaded."""
    found = folder / "modules.json"
    script = (
        "import json, pathlib, sys\n"
        "from engine.__main__ import main\n"
        "try:\n"
        f"    code = main({[str(argument) for argument in arguments]!r})\n"
        "except SystemExit as stop:\n"
        "    code = stop.code\n"
        f"pathlib.Path({str(found)!r}).write_text(json.dumps([code, sorted(sys.modules)]))\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    code, modules = json.loads(found.read_text())
    return code, modules


def of_packages(modules, packages):
    return [name for name in modules if name in packages or name.startswith(tuple(f"{item}." for item in packages))]


def test_serving_and_running_load_nothing_of_the_laboratory(tmp_path):
    video = write_video(tmp_path / "busy.mp4", 2, size=(160, 120), draw=busy_picture)
    run = ("run", video, "--take", tmp_path / "a.h3r", "--model", "recipe:small", "--voxel-size", "0.1")
    for arguments in (("serve",), run):
        code, modules = loaded_by(*arguments, folder=tmp_path)
        assert code == 0 and "torch" in modules and "engine.capture" in modules
        assert of_packages(modules, LABORATORY) == [], arguments


@pytest.mark.parametrize("command", COMMANDS)
def test_help_waits_for_no_library(command, tmp_path):
    code, modules = loaded_by(command, "--help", folder=tmp_path)
    assert code == 0 and of_packages(modules, LIBRARIES) == []


def test_all_commands_are_named_and_a_wrong_one_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert all(f"    {name}" in said for name in COMMANDS)
    for arguments in ([], ["runn"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
