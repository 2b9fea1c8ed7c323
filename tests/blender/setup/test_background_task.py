# SPDX-License-Identifier: GPL-3.0-or-later
"""Background tasks on real child processes: what they tell arrives, and they end for certain."""

import sys
import threading
from pathlib import Path

import bpy
import pytest

from tests.waiting import HANG_S, wait_until

SCRIPT = Path(__file__).with_name("stand_in_task.py")


@pytest.fixture
def begin(addon, tmp_path):
    """Start a task of this kind."""

    def start(kind, told=""):
        return addon.background_task.ChildTask("Getting 896L", [sys.executable, str(SCRIPT), kind], tmp_path, told=told)

    yield start
    addon.child_process.end_all()


def test_events_arrive_and_the_rest_is_log(addon, begin):
    task = begin("work")
    assert addon.background_task.wait(task, HANG_S) and task.state == "done" and task.error is None
    assert task.fraction == pytest.approx(12 / 47) and task.result is None
    assert {"Connecting", "a library says hello", "a warning"} <= set(task.log)


def test_progress_in_words(addon, begin):
    task = begin("wait")
    wait_until(lambda: task.bytes_per_s, "the event")  # which is taken in last
    assert task.text == "Connecting: 1.2 GB of 4.7 GB, 20.0 MB/s, 2 min 55 s left"
    task.handle({"event": "stage", "stage": "verify"})
    assert task.text == "Checking" and task.fraction is None


@pytest.mark.parametrize("kind", ["wait", "busy", "deaf"])
def test_cancelling_ends_the_process(addon, begin, is_running, kind, monkeypatch):
    if kind != "wait":  # nobody answers within any time
        monkeypatch.setattr(addon.background_task, "CANCEL_GRACE_S", 0.2)
    task = begin(kind)
    wait_until(lambda: task.stage == "Deaf" if kind == "deaf" else task.done, "the child")
    task.cancel()
    task.cancel()
    text = task.text
    assert task.is_cancelling and (text == "Canceling" or not task.is_active)  # it may be gone by now
    assert addon.background_task.wait(task, HANG_S) and task.state == "cancelled" and task.error is None
    assert not is_running(task.process_id)


def test_an_error_keeps_its_three_parts(addon, begin):
    task = begin("refuse")
    assert addon.background_task.wait(task, HANG_S) and task.state == "failed"
    assert (task.error.code, task.error.message, task.error.remedy) == (
        "wrong-hash",
        "The file is not the published one.",
        "Get it again.",
    )


def test_a_death_without_a_word_is_explained(addon, begin):
    task = begin("die")
    assert addon.background_task.wait(task, HANG_S) and task.state == "failed"
    assert task.error.code == "task-died" and "code 3" in task.error.message
    assert "the last thing it said" in task.error.message and task.error.remedy


def test_a_result_without_an_event_is_kept(addon, begin):
    task = begin("result")
    assert addon.background_task.wait(task, HANG_S) and task.state == "done"
    assert task.result == {"device": "cpu", "precision": "float32"}


def test_a_secret_goes_down_standard_input_and_nowhere_else(addon, begin):
    secret = "name\npass-Ω-word\n"
    task = begin("secret", told=secret)
    assert addon.background_task.wait(task, HANG_S) and task.state == "done"
    assert task.stage == f"Told {len(secret)} characters"
    assert "pass" not in "\n".join(task.log) and "pass" not in repr(vars(task))


def test_a_program_that_does_not_exist_is_said_at_once(addon, tmp_path):
    with pytest.raises(addon.errors.UserError) as error:
        addon.background_task.ChildTask("Nothing", [str(tmp_path / "absent")], tmp_path)
    assert error.value.code == "task-not-started" and error.value.remedy


def test_one_task_at_a_time_and_its_end_is_told_once(addon, begin, monkeypatch):
    monkeypatch.setattr(addon.tasks.bpy, "app", _InAWindow(bpy.app))
    ended = []
    task = addon.tasks.begin(lambda: begin("wait"), lambda over: ended.append((over, threading.current_thread())))
    assert addon.tasks.is_busy() and bpy.app.timers.is_registered(addon.tasks.pump)
    with pytest.raises(addon.errors.UserError) as error:
        addon.tasks.begin(lambda: begin("work"))
    assert error.value.code == "busy"
    addon.tasks.dismiss()  # does nothing while it runs
    assert addon.tasks.current() is task and addon.tasks.pump() and not ended
    task.cancel()
    assert addon.background_task.wait(task, HANG_S)
    assert addon.tasks.pump() is None and addon.tasks.pump() is None
    assert ended == [(task, threading.main_thread())]
    addon.tasks.dismiss()
    assert addon.tasks.current() is None


def test_switching_off_ends_the_task(addon, begin, is_running, monkeypatch):
    monkeypatch.setattr(addon.tasks.bpy, "app", _InAWindow(bpy.app))
    task = addon.tasks.begin(lambda: begin("wait"))
    addon.tasks.forget()
    assert not is_running(task.process_id) and addon.tasks.current() is None
    assert not bpy.app.timers.is_registered(addon.tasks.pump)


def test_without_a_window_begin_returns_at_the_end(addon, begin):
    ended = []
    task = addon.tasks.begin(lambda: begin("work"), ended.append)
    assert task.state == "done" and ended == [task]
    addon.tasks.forget()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (4_670_554_642, "4.7 GB"), (2.5e12, "2.5 TB")],
)
def test_sizes(addon, count, text):
    assert addon.progress.format_bytes(count) == text


class _InAWindow:
    """``bpy.app`` of a Blender with a window, whose event loop the test itself is."""

    background = False

    def __init__(self, app):
        self._app = app

    def __getattr__(self, name):
        return getattr(self._app, name)
