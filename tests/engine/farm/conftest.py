# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip, and the take that a task makes of it when nobody disturbs it."""

import time
from types import SimpleNamespace

import pytest

from tests.engine.farm.tasks import FRAMES, SETTINGS, run_task
from tests.engine.stream.footage_files import busy_picture, write_video
from tests.engine.stream.test_run import records_after_header


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """`video`, the `take` and its `records`, what the task printed (`output`), and its `seconds`."""
    folder = tmp_path_factory.mktemp("undisturbed")
    video = write_video(folder / "long.mp4", FRAMES, size=(160, 120), draw=busy_picture)
    begun = time.monotonic()
    code, output, errors = run_task(video, "--take", folder / "whole.h3r", "--progress", "openjd", *SETTINGS)
    assert code == 0, errors
    records = records_after_header(folder / "whole.h3r")
    seconds = time.monotonic() - begun
    return SimpleNamespace(video=video, take=folder / "whole.h3r", records=records, output=output, seconds=seconds)
