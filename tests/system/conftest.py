# SPDX-License-Identifier: GPL-3.0-or-later
"""Both programs together: the add-on's command line in Blender's Python module, and the real engine."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import HANG_S, communicate

if not importlib.util.find_spec("bpy"):
    collect_ignore_glob = ["test_*.py"]

ROOT = Path(__file__).resolve().parents[2]

MAKE_VIDEO = """
import sys, cv2, numpy
path, count = sys.argv[1], int(sys.argv[2])
random = numpy.random.default_rng(3)
place = cv2.resize(random.integers(0, 255, (24, 64, 3), dtype=numpy.uint8), (640, 240), interpolation=cv2.INTER_CUBIC)
writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (320, 240))
for index in range(count):
    picture = place[:, 4 * index % 320:4 * index % 320 + 320].copy()
    cv2.ellipse(picture, (160, 130), (30, 80), 0, 0, 360, (80, 110, 200), -1)
    writer.write(picture)
writer.release()
"""


@dataclass
class Done:
    """A command that ended."""

    code: int
    errors: str
    results: list[dict]


@pytest.fixture(scope="session")
def engine_python():
    """The Python with the engine's packages: the environment variable's, or the checkout's own."""
    for candidate in (os.environ.get("HUMAN3R_ENGINE_PYTHON"), ROOT / ".environments" / "engine" / "bin" / "python"):
        if candidate and Path(candidate).is_file():
            return str(candidate)
    pytest.skip("no engine's Python: set HUMAN3R_ENGINE_PYTHON or run build.py once")


@pytest.fixture(scope="session")
def run_engine_script(engine_python):
    """Run a script with the engine's Python."""

    def run(script, *arguments):
        subprocess.run(
            [engine_python, str(script), *map(str, arguments)],
            check=True,
            timeout=HANG_S,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    return run


@pytest.fixture(scope="session")
def make_video(engine_python):
    """Write an MP4 of 320 x 240 pixels, 25 pictures a second."""

    def make(path, count):
        subprocess.run([engine_python, "-c", MAKE_VIDEO, str(path), str(count)], check=True, timeout=HANG_S)
        return path

    return make


@pytest.fixture(scope="session")
def start_command(engine_python, tmp_path_factory):
    """Start ``human3r ARGUMENTS`` in Blender's Python module, nearly as ``build.py convert`` does."""
    resources = tmp_path_factory.mktemp("resources")

    def start(*arguments, **variables):
        environment = (
            os.environ
            | {"HUMAN3R_ENGINE_PYTHON": engine_python, "BLENDER_USER_RESOURCES": str(resources), "OMP_NUM_THREADS": "1"}
            | variables
        )
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("run_patiently.py")), *map(str, arguments)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def run_command(start_command, tmp_path_factory):
    """Run ``human3r ARGUMENTS`` to its end, with a summary."""

    def run(*arguments, **variables):
        summary = tmp_path_factory.mktemp("summary") / "summary.json"
        command = start_command(*arguments, "--json", summary, **variables)
        _, errors = communicate(command)
        results = json.loads(summary.read_text())["results"] if summary.exists() else []
        return Done(command.returncode, errors, results)

    return run


@pytest.fixture(scope="session")
def demo_blend(run_command, tmp_path_factory):
    """The bundled clip as the built-in model sees it."""
    return _converted("landmarks", run_command, tmp_path_factory)


@pytest.fixture(scope="session")
def small_blend(run_command, tmp_path_factory):
    """The bundled clip as the small Human3R sees it."""
    return _converted("small", run_command, tmp_path_factory)


def _converted(model, run_command, tmp_path_factory):
    clip, blend = ROOT / "demo" / "demo.mp4", tmp_path_factory.mktemp(model) / "demo.blend"
    choices = ("--model", model, "--device", "cpu", "--body", "mannequin")
    done = run_command("convert", clip, "--output", blend, *choices)
    assert done.code == 0, done.errors
    return blend


@pytest.fixture(scope="session")
def truth_blend(run_engine_script, run_command, tmp_path_factory):
    """The bundled clip as it really is: its ground truth came as a take."""
    folder = tmp_path_factory.mktemp("truth")
    take, blend = folder / "truth.h3r", folder / "truth.blend"
    run_engine_script(
        ROOT / "tools" / "truth_take.py", ROOT / "demo" / "demo_truth.npz", ROOT / "demo" / "demo.mp4", take
    )
    done = run_command("import", take, "--output", blend, "--clean", "0")
    assert done.code == 0, done.errors
    return blend
