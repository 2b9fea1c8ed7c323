# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is killed or cancelled again and again, at any moment, and repeated: the take is the undisturbed one."""

import random
import time

import pytest

from engine.resuming.resume_file import resume_path
from tests.engine.farm.tasks import SETTINGS, ended, start_task
from tests.engine.stream.test_run import records_after_header

KILLS = 50


@pytest.mark.slow
def test_fifty_kills_change_nothing(undisturbed, tmp_path):
    """The moments are spread over what a whole task takes here, so that every part of it is hit."""
    dice, takes = random.Random(16), 0
    kills = {"kill": 0, "terminate": 0}
    while sum(kills.values()) < KILLS:
        take, done = tmp_path / f"{takes}.h3r", False
        takes += 1
        while not done:
            process = start_task(undisturbed.video, "--take", take, *SETTINGS)
            if sum(kills.values()) < KILLS:
                time.sleep(dice.uniform(0.0, undisturbed.seconds))
                if process.poll() is None:
                    how = dice.choice(tuple(kills))
                    getattr(process, how)()
                    kills[how] += 1
            code, _, errors = ended(process)
            assert code in (0, 130, -9, -15), errors
            done = code == 0
        assert records_after_header(take) == undisturbed.records and not resume_path(take).exists()
    print(f"{takes} takes, {kills}")
