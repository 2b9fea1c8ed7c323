# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on tells when it is asked to: its log, and where a run's time goes on Blender's main thread."""

import importlib
import pstats
import re
import threading

import pytest

from ..conftest import EXTENSION

logs = importlib.import_module(f"{EXTENSION}.engine.contract.logs")


@pytest.fixture
def run(addon, scene, stand_in, settings, monkeypatch, capfd):
    """Runs a capture to its end, with these switches set; returns what was told meanwhile."""

    def capture(**switches):
        for name, value in switches.items():
            monkeypatch.setenv(name, value)
        logs.set_up()
        session = addon.session.start_capture(scene, settings("walk:6"), addon.builder.ImportOptions())
        while session.pump_messages(0.005, wait_s=0.01):
            pass
        for thread in threading.enumerate():
            if thread.name == "human3r-close":
                thread.join()
        return capfd.readouterr().err

    yield capture
    monkeypatch.undo()
    logs.set_up()


def test_the_log_tells_what_it_is_asked_for(run):
    told = [line.partition(" INFO ")[2] for line in run(HUMAN3R_LOG="info").splitlines()]
    wanted = (
        r"engine_process: the engine runs as process \d+",
        r"session: a run begins",
        r"session: the run ended: complete, \d+ records, 2 people",
        r"engine_process: the engine, process \d+, ended with code -?\d+",
    )
    for pattern in wanted:  # in no order: the engine is ended beside the run
        assert [bool(re.fullmatch(pattern, line)) for line in told].count(True) == 1, (pattern, told)
    assert len(told) == len(wanted)


def test_without_the_switch_nothing_is_told(run):
    assert run() == ""


def test_the_profile_says_where_the_time_goes(run, tmp_path):
    run(HUMAN3R_PROFILE=str(tmp_path / "mine"))
    profile = pstats.Stats(str(tmp_path / "mine.pump.pstats"))
    called = {where[2] for where in profile.stats}
    assert {"_pump", "_handle", "work"} <= called
