# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed again and again, at any moment, gives the undisturbed take."""

import random
import time

import pytest

from engine.resuming.resume_file import resume_path
from tests.waiting import communicate

from .engine_process import run_engine, start_run
from .footage_files import busy_picture, write_video
from .test_run import OPTIONS, records_after_header

FRAMES = 60


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    video = write_video(folder / "long.mp4", FRAMES, size=(160, 120), draw=busy_picture)
    options = (*OPTIONS, "--reset-interval", "20", "--camera", "tracked")
    code, _, errors = run_engine(video, "--take", folder / "whole.h3r", *options)
    assert code == 0, errors
    return video, options, records_after_header(folder / "whole.h3r")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_until_it_is_done(undisturbed, tmp_path, seed):
    video, options, expected = undisturbed
    take, dice, kills = tmp_path / "a.h3r", random.Random(seed), 0
    while True:
        goes_on = resume_path(take).exists()
        again = ("--take", take, "--resume") if goes_on else (video, "--take", take, "--overwrite", *options)
        process = start_run(*again)
        time.sleep(dice.uniform(1.0, 8.0))
        if process.poll() is not None:
            communicate(process)
            break
        process.kill()
        communicate(process)
        kills += 1
    print(f"kills: {kills}")
    assert kills and process.returncode == 0
    assert records_after_header(take) == expected and not resume_path(take).exists()
