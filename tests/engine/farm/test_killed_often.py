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
    """The moments are spread over what a task takes, so that every part of it is hit, however busy the machine."""
    dice, takes, seconds = random.Random(16), 0, undisturbed.seconds
    kills = {"kill": 0, "terminate": 0}
    while sum(kills.values()) < KILLS:
        take, done = tmp_path / f"{takes}.h3r", False
        takes += 1
        while not done:
            begun = time.monotonic()
            process = start_task(undisturbed.video, "--take", take, *SETTINGS)
            if sum(kills.values()) < KILLS:
                time.sleep(dice.uniform(0.0, seconds))
                if process.poll() is not None:
                    seconds /= 2
                else:
                    how = dice.choice(tuple(kills))
                    getattr(process, how)()
                    kills[how] += 1
            code, _, errors = ended(process)
            assert code in (0, 130, -9, -15), errors
            print(f"take {takes}, {kills}, code {code} after {time.monotonic() - begun:.0f} s", flush=True)
            seconds *= 1.1
            done = code == 0
        assert records_after_header(take) == undisturbed.records and not resume_path(take).exists()
    print(f"{takes} takes, {kills}")
