# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as our own command writes them, for the farms' own programs to run: build.py test --farm.

These tests run in a Python that has those programs, and not the engine's packages.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import communicate

if not importlib.util.find_spec("openjd"):
    collect_ignore_glob = ["test_*.py"]

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--model", "recipe:small", "--no-gpu")
"""Random weights: a take within seconds, whose people are not real."""

_MAKE_VIDEOS = """
import sys
from pathlib import Path
from tests.engine.stream.footage_files import busy_picture, write_video
for path, frames in zip(sys.argv[1::2], map(int, sys.argv[2::2])):
    made = write_video(Path(path).parent / "made.mp4", frames, size=(160, 120), draw=busy_picture)
    made.rename(path)
"""


def python_of(variable, name):
    for place in (os.environ.get(variable), ROOT / ".environments" / name / "bin" / "python"):
        if place and Path(place).is_file():
            return str(place)
    pytest.skip(f"there is no such Python: run build.py test --farm, or set {variable}")


@pytest.fixture(scope="session")
def engine_python():
    return python_of("HUMAN3R_ENGINE_PYTHON", "engine")


@pytest.fixture(scope="session")
def blender(tmp_path_factory):
    """A program that takes Blender's command line and runs the add-on in Blender's Python module."""
    python = python_of("HUMAN3R_BLENDER_PYTHON", "blender-5.0")
    program = tmp_path_factory.mktemp("blender") / "blender"
    program.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "assert sys.argv[1:4] == ['--background', '--command', 'human3r'], sys.argv\n"
        f"os.execv({python!r}, [{python!r}, {str(ROOT / 'tools' / 'run_in_module.py')!r}, *sys.argv[4:]])\n"
    )
    program.chmod(0o755)
    return str(program)


@pytest.fixture(scope="session", autouse=True)
def variables(tmp_path_factory):
    """Nothing that this machine's user installed changes a test."""
    os.environ |= {"OMP_NUM_THREADS": "1", "HUMAN3R_DATA": str(tmp_path_factory.mktemp("data"))}


def ended(command, **how):
    """Exit code and all output of a command."""
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(list(map(str, command)), **piped | how)
    output, _ = communicate(process)
    return process.returncode, output


@pytest.fixture(scope="session")
def make_videos(engine_python):
    """Write videos, each with so many frames."""

    def make(videos):
        for path in videos:
            path.parent.mkdir(parents=True, exist_ok=True)
        words = [str(part) for pair in videos.items() for part in pair]
        code, output = ended([engine_python, "-c", _MAKE_VIDEOS, *words], cwd=ROOT, env=with_root())
        assert code == 0, output

    return make


def with_root():
    return dict(os.environ, PYTHONPATH=str(ROOT))


@pytest.fixture(scope="session")
def write_bundle(engine_python):
    """Write a job of clips: the bundle's folder."""

    def write(bundle, *words):
        command = [engine_python, "-m", "engine", "farm", "--bundle", bundle, *words]
        code, output = ended(command, cwd=ROOT, env=with_root())
        assert code == 0, output
        return bundle

    return write
