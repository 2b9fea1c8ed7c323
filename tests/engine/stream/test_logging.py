# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine tells when it is asked to: its log, and where its time goes."""

import json
import pstats
import re
import subprocess

import pytest

from tests.engine.stream.engine_process import ENVIRONMENT, ROOT, engine_command
from tests.engine.stream.footage_files import write_video
from tests.waiting import HANG_S

LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO) (\w+): (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("footage") / "private name.mp4", 3, size=(64, 48))


def run(video, folder, **switches):
    """(exit code, standard output, standard error) of a capture with these switches."""
    command = engine_command("run", video, "--take", folder / "a.h3r", "--model", "recipe:small", "--quiet", "--json")
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT | switches, capture_output=True, text=True, timeout=HANG_S)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frame_count"] == 3  # and nothing else is on standard output
    return done.stderr


def test_the_log_tells_what_it_is_asked_for(video, tmp_path):
    lines = LINE.findall(run(video, tmp_path, HUMAN3R_LOG="debug"))
    assert {module for _, module, _ in lines} == {"capture", "supply"}
    assert [text for level, _, text in lines if level == "DEBUG"] == [
        f"footage frame {frame} is predicted" for frame in range(3)
    ]
    told = [text for level, _, text in lines if level == "INFO"]
    assert told[0] == "a capture begins" and told[-1].startswith("complete: 3 frames, ")
    assert "private" not in str(lines)


def test_without_the_switches_nothing_is_told(video, tmp_path):
    assert run(video, tmp_path) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["a.h3r"]


def test_a_level_that_does_not_exist_is_said(video, tmp_path):
    assert "HUMAN3R_LOG must be one of debug, info, warning, error" in run(video, tmp_path, HUMAN3R_LOG="loud")


def test_the_profile_says_where_the_time_goes(video, tmp_path):
    run(video, tmp_path, HUMAN3R_PROFILE=str(tmp_path / "mine"))
    profile = pstats.Stats(str(tmp_path / "mine.engine.pstats"))
    calls = {(where[0].rpartition("/")[2], where[2]): figures[1] for where, figures in profile.stats.items()}
    assert calls["pipeline.py", "predict"] == 3 and ("capture.py", "run") in calls


def test_a_profile_that_cannot_be_written_ends_no_capture(video, tmp_path):
    assert "could not be written" in run(video, tmp_path, HUMAN3R_PROFILE=str(tmp_path / "absent" / "mine"))
