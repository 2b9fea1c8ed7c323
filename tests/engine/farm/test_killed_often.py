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
    dice, kills, takes = random.Random(16), {"kill": 0, "cancel": 0}, 0
    while sum(kills.values()) < KILLS:
        take = tmp_path / f"{takes}.h3r"
        takes += 1
        while True:
            process = start_task(undisturbed.video, "--take", take, *SETTINGS)
            time.sleep(dice.uniform(0.2, 12.0))
            if process.poll() is None:
                how = dice.choice(("kill", "cancel"))
                process.kill() if how == "kill" else process.terminate()
                kills[how] += 1
            code, _, errors = ended(process)
            assert code in (0, 130, -9, -15), errors
            if code == 0:
                break
        assert records_after_header(take) == undisturbed.records and not resume_path(take).exists()
    print(f"{takes} takes, {kills}")
