# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs, going on after a stop, editing and serving under Windows' rules (`tests/windows_semantics.py`)."""

import json
import subprocess
import sys

import pytest

from engine.contract.exit_codes import CANCELLED
from engine.contract.messages import Frame, Shutdown, StartCapture, TakeEnd
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from tests.engine.stream.engine_process import ENVIRONMENT, ROOT, Server, frames_so_far
from tests.engine.stream.footage_files import busy_picture, write_video
from tests.waiting import HANG_S, communicate, wait_until
from tests.windows_semantics import BREAK, python_on_windows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stands in for Windows on Linux alone")
FRAMES = 40


@pytest.fixture
def room(tmp_path):
    """The folder in which the rules hold."""
    folder = tmp_path / "Décor"
    folder.mkdir()
    return folder


@pytest.fixture
def python(tmp_path, room):
    return str(python_on_windows(sys.executable, room, tmp_path / "python"))


@pytest.fixture
def video(room):
    return write_video(room / "Clip.mp4", FRAMES, size=(160, 120), draw=busy_picture)


def start(python, *arguments):
    return subprocess.Popen(
        [python, "-m", "engine", *map(str, arguments)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(take):
    with TakeReader(take) as reader:
        messages = list(reader)
    return sum(isinstance(message, Frame) for message in messages), messages[-1]


def test_a_run_that_a_service_stops_saves_and_goes_on(python, video, room):
    take = room / "take.h3r"
    process = start(python, "run", video, "--take", take, "--model", "recipe:small")
    wait_until(lambda: frames_so_far(take) > 3, "some frames")
    process.send_signal(BREAK)
    _, said = communicate(process)
    assert process.returncode == CANCELLED and b"Traceback" not in said
    assert ended(take)[1].status == "cancelled"
    process = start(python, "run", video, "--take", take, "--resume", "--json")
    answer, said = communicate(process)
    assert process.returncode == 0, said.decode()
    assert json.loads(answer)["status"] == "complete" and ended(take) == (FRAMES, TakeEnd("complete", FRAMES))
    assert [path.name for path in room.iterdir() if ".resume" in path.name or ".human3r" in path.name] == []


def test_a_take_is_edited_and_exported(python, video, room):
    take = room / "take.h3r"
    for command in (
        ("run", video, "--take", take, "--model", "recipe:small", "--end", "5", "--point-maps"),
        ("edit-take", take, room / "edited.h3r", "--fill-gaps", "1"),
        ("edit-take", take, room / "EDITED.h3r", "--fill-gaps", "1", "--overwrite"),
        ("export", take, "--output", room / "out", "--frame-ply", "--colmap"),
    ):
        process = start(python, *command)
        _, said = communicate(process)
        assert process.returncode == 0, said.decode()
    assert ended(room / "edited.h3r")[0] == 5 and not (room / "EDITED.h3r").exists()


def test_when_nobody_listens_any_more_the_take_is_completed(python, video, room):
    settings = CaptureSettings(
        source=str(video), take=str(room / "take.h3r"), end=12, detection_threshold=0.2, model="recipe:small"
    )
    with subprocess.Popen(
        [python, "-m", "engine", "serve"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        server = Server.__new__(Server)
        server.process = process
        server.send(StartCapture(settings))
        process.stdout.close()
        wait_until(lambda: frames_so_far(room / "take.h3r") == 12, "all frames")
        server.send(Shutdown())
        said = process.stderr.read()
        assert process.wait(HANG_S) == 0 and b"Traceback" not in said
    assert ended(room / "take.h3r") == (12, TakeEnd("complete", 12))
