# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards against hanging: they bear with what is slow, and do end what is stuck or endless."""

import subprocess
import sys
import time
from itertools import count

import pytest

from tests import waiting


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(waiting, "_STUCK_S", 0.3)


def start(code):
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_what_is_stuck_is_given_up(hasty):
    with pytest.raises(AssertionError, match=r"in vain for godot: stuck at 7"):
        waiting.wait_until(lambda: False, "godot", lambda: 7)


def test_what_makes_progress_may_take_long(hasty):
    ends, steps = time.monotonic() + 1.0, count()
    waiting.wait_until(lambda: time.monotonic() > ends, progress=lambda: next(steps))


def test_what_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(waiting, "_ENDLESS_S", 0.3)
    steps = count()
    with pytest.raises(AssertionError, match="goes on for ever"):
        waiting.wait_until(lambda: False, progress=lambda: next(steps))


def test_the_output_of_a_process_arrives_whole():
    process = start("print('x' * 10**6)")
    assert len(waiting.communicate(process)[0]) == 10**6 + 1 and waiting.end_of(process) == 0


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say what a process has worked")
WORK_UNTIL_ORPHANED = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"


@on_linux
def test_what_a_process_starts_works_for_it():
    with start(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WORK_UNTIL_ORPHANED!r}])") as parent:
        waiting.wait_until(lambda: waiting.work_of(parent.pid) > 100, "work", lambda: waiting.work_of(parent.pid))
        parent.kill()


@on_linux
def test_a_process_that_does_not_work_is_killed(hasty):
    with start("import time; time.sleep(10**6)") as idle, pytest.raises(AssertionError, match="stuck at"):
        waiting.communicate(idle)
    assert idle.returncode == -9
