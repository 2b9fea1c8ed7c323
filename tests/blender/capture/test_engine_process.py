# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a process: what it is started with, how it ends, and what is said when it ends badly."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import child_process

from tests.waiting import HANG_S, Patience, wait_until, work_of


@pytest.fixture
def launch(addon, stand_in):
    def start(source="", take=None):
        engine = addon.engine_process.EngineProcess(addon.engine_python.find_python(), stand_in)
        if source:
            engine.start_capture(
                addon.messages.StartCapture(addon.settings.CaptureSettings(source, str(take or stand_in / "take.h3r")))
            )
        return engine

    return start


def read_all(addon, engine):
    """All messages until the capture's end, and the error that ended it, if one did."""
    received, patience = [], Patience("the end of the capture")
    while True:
        patience.check((len(received), work_of(engine.process_id)))
        try:
            message = engine.receive(0.2)
        except addon.errors.UserError as error:
            return received, error
        if message is not None:
            received.append(message)
            if isinstance(message, addon.messages.TakeEnd | addon.messages.Failure):
                return received, None


def test_a_capture_arrives_whole_and_the_process_serves_another(addon, launch):
    engine = launch("walk:12")
    for _ in range(2):
        received, error = read_all(addon, engine)
        assert error is None and engine.is_alive
        assert [type(message).__name__ for message in received][:3] == ["Status", "TakeHeader", "Frame"]
        frames = [message.index for message in received if isinstance(message, addon.messages.Frame)]
        assert frames == list(range(12))
        engine.start_capture(addon.messages.StartCapture(received[1].settings))


def test_blenders_python_does_not_steer_the_engines(addon, stand_in, monkeypatch):
    for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONOPTIMIZE"):
        monkeypatch.setenv(name, "nonsense")
    monkeypatch.setenv("HUMAN3R_ANYTHING", "kept")
    environment = addon.child_process.clean_environment()
    assert not {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONOPTIMIZE"} & environment.keys()
    assert environment["HUMAN3R_ANYTHING"] == "kept" and environment["PYTHONUTF8"] == "1"


def test_nothing_of_blenders_current_folder_is_executed(addon, engine_python, tmp_path, monkeypatch):
    for name in ("contextlib", "json", "numpy", "torch"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'a').write({name!r} + ' ')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = addon.engine_process.launch()
    engine.start_capture(
        addon.messages.StartCapture(addon.settings.CaptureSettings("missing.mp4", str(tmp_path / "take.h3r")))
    )
    received, error = read_all(addon, engine)
    engine.close()
    listing = addon.jobs.verify()
    assert addon.background_task.wait(listing, HANG_S) and listing.state == "done", listing.log
    assert error is None and received[-1].code == "footage-missing"
    assert not (tmp_path / "executed").exists()


def test_a_slow_reader_makes_the_engine_wait(addon, launch, tmp_path):
    """Nobody reads its messages, while another engine, of which they are read, makes many times what has room."""
    engine, other = launch("endless"), launch("endless", tmp_path / "other.h3r")
    wait_until(engine._messages.full, "a full queue")
    made = 0
    while made < 50 * addon.engine_process.QUEUED_MESSAGES:
        made += isinstance(other.receive(HANG_S), addon.messages.Frame)
    assert 0 < int(engine.log[-1].split()[1]) < 5 * addon.engine_process.QUEUED_MESSAGES
    assert engine._messages.qsize() == addon.engine_process.QUEUED_MESSAGES and engine.is_alive


def test_cancel_ends_an_endless_capture(addon, launch):
    engine = launch("endless")
    while not isinstance(engine.receive(HANG_S), addon.messages.Frame):
        pass
    engine.cancel_capture()
    received, error = read_all(addon, engine)
    assert error is None and received[-1].status == "cancelled"


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("die:3", "engine-died", "exit code 3"),
        ("die:3", "engine-died", "the last thing it said"),
        ("killed:3", "engine-died", "memory"),
        ("garble:3", "engine-garbled", "mark"),
        ("import-error", "engine-incomplete", "no module torch"),
        ("blocked", "engine-blocked", "DLL load failed"),
    ],
)
def test_a_bad_end_is_explained_after_what_arrived(addon, launch, source, code, says):
    received, error = read_all(addon, launch(source))
    assert error is not None and error.code == code and says in error.message and error.remedy
    if code not in ("engine-incomplete", "engine-blocked"):
        assert sum(isinstance(message, addon.messages.Frame) for message in received) == 3


def test_close_lets_an_idle_engine_end_by_itself_and_is_certain_for_a_deaf_one(addon, launch, is_running):
    idle = launch()
    idle.close(HANG_S)
    assert not is_running(idle.process_id) and idle._process.returncode == 0  # no signal was needed
    deaf = launch("deaf:1")
    wait_until(lambda: deaf.log, "its first frame")
    os.kill(deaf.process_id, signal.SIGSTOP)  # not even able to see that its input was closed
    deaf.close(0.3)
    assert not is_running(deaf.process_id) and not deaf.is_alive


def test_closing_a_full_queue_leaves_no_thread_behind(addon, launch, is_running):
    engine = launch("endless")
    wait_until(engine._messages.full)
    engine.close_in_background(0.3)
    wait_until(lambda: not is_running(engine.process_id) and not engine._reader.is_alive())


def test_ending_all_children_leaves_no_thread_behind(addon, launch, is_running):
    """A thread that runs Python for ever could do so while one of Blender's operators does (`blender/turns.py`)."""
    engine = launch("endless")
    wait_until(engine._messages.full)
    addon.child_process.end_all(0.3)
    wait_until(lambda: not is_running(engine.process_id) and not engine._reader.is_alive())


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), 9)", "sys.exit()"])
def test_the_engine_ends_with_its_parent(addon, stand_in, tmp_path, is_running, end):
    script = f"""
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("h", {str(stand_in / "pack" / "__init__.py")!r},
                                              submodule_search_locations=[{str(stand_in / "pack")!r}])
sys.modules["h"] = importlib.util.module_from_spec(spec)
from h.human3r_blender.capture import engine_process
from h.human3r_blender.setup.engine_python import find_python
import pathlib
engine = engine_process.EngineProcess(find_python(), pathlib.Path({str(stand_in)!r}))
print(engine.process_id, flush=True)
{end}
"""
    package = stand_in / "pack"
    (package / "human3r_blender").mkdir(parents=True)
    for name in ("__init__.py", "human3r_blender/__init__.py"):
        (package / name).touch()
    (package / "engine").symlink_to(stand_in / "engine")
    root = Path(addon.child_process.__file__).parents[2]
    for name in ("blender", "capture", "setup"):
        (package / "human3r_blender" / name).symlink_to(root / "human3r_blender" / name)
    child = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=HANG_S)
    process_id = int(child.stdout)
    wait_until(lambda: not is_running(process_id))


def test_no_engine_is_said_with_a_remedy(addon, monkeypatch, tmp_path):
    monkeypatch.delenv("HUMAN3R_ENGINE_PYTHON", raising=False)
    (tmp_path / "text").write_text("no program")
    for preferred, environment in (("", None), ("/does/not/exist", None), ("", str(tmp_path / "text"))):
        if environment:
            monkeypatch.setenv("HUMAN3R_ENGINE_PYTHON", environment)
        with pytest.raises(addon.errors.UserError) as error:
            addon.engine_python.find_python(preferred)
        assert error.value.code == "no-engine" and "Preferences" in error.value.remedy
    (tmp_path / "text").chmod(0o755)
    with pytest.raises(addon.errors.UserError) as error:
        addon.engine_process.launch()
    assert error.value.code == "no-engine"


def test_preferred_python_wins_over_the_environment(addon, monkeypatch):
    monkeypatch.setenv("HUMAN3R_ENGINE_PYTHON", "/does/not/exist")
    assert str(addon.engine_python.find_python(sys.executable)) == sys.executable


def test_macos_is_asked_not_to_slow_down_the_engine():
    assert child_process.keep_awake_command("darwin", 42) == ["/usr/bin/caffeinate", "-i", "-w", "42"]
    assert child_process.keep_awake_command("linux", 42) == child_process.keep_awake_command("win32", 42) == []
