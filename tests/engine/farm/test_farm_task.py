# SPDX-License-Identifier: GPL-3.0-or-later
"""A farm's task: one command line begins, goes on and is already complete; it can be repeated and stopped anywhere."""

import json
import os
import re
import shutil
import signal
from dataclasses import replace
from functools import partial

import pytest
import torch

from engine.contract.errors import UserError
from engine.contract.messages import Frame, TakeHeader
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from engine.farm_task import telling, worker
from engine.farm_task.notes import read_note
from engine.farm_task.outcomes import exit_code
from engine.resuming.resume_file import resume_path
from engine.resuming.take_place import SILENCE_S, lock_path
from tests.engine.farm.tasks import FRAMES, SETTINGS, ended, run_task, start_task, start_without
from tests.engine.stream.engine_process import frames_so_far, paused
from tests.engine.stream.footage_files import busy_picture, write_video
from tests.engine.stream.test_run import records_after_header
from tests.waiting import wait_until


@pytest.fixture
def begun(undisturbed, tmp_path):
    """A task in the middle of its work: the process, its take, and its command line."""
    take = tmp_path / "a.h3r"
    command = (undisturbed.video, "--take", take, *SETTINGS)
    process = start_task(*command)
    wait_until(lambda: resume_path(take).exists() and frames_so_far(take) >= 5, "a resume file and frames")
    yield process, take, command
    process.kill()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_task_ends_with_take_note_and_picture(undisturbed):
    take, note = undisturbed.take, read_note(undisturbed.take)
    assert names_in(take.parent) == ["long.mp4", "whole.h3r", "whole.task.jpg", "whole.task.json"]
    assert (note.status, note.frames, note.error) == ("complete", FRAMES, None)
    assert note.seconds > 0 and note.host and note.device in ("cpu", "cuda", "mps")
    progress = [float(part) for part in re.findall(r"^openjd_progress: ([\d.]+)$", undisturbed.output, re.MULTILINE)]
    assert progress == sorted(progress) and progress[-1] == 100
    assert f"openjd_status: complete: {FRAMES} frames, {note.people} people" in undisturbed.output


def test_a_complete_take_ends_the_task_without_loading_torch_or_footage(undisturbed):
    before = undisturbed.take.stat()
    task = (undisturbed.video, "--take", undisturbed.take, "--overwrite", *SETTINGS)
    code, output, errors = ended(start_without(("torch", "cv2", "av"), *task))
    assert (code, errors) == (0, "") and output.startswith(f"already complete: {FRAMES} frames")
    after = undisturbed.take.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_task_that_is_cancelled_saves_and_the_same_command_goes_on(begun, undisturbed):
    process, take, command = begun
    process.send_signal(signal.SIGTERM)
    code, _, errors = ended(process)
    assert code == 130, errors
    assert resume_path(take).exists() and read_note(take).status == "cancelled"
    done = frames_so_far(take)
    assert 0 < done < FRAMES
    code, output, errors = run_task(*command)
    assert code == 0, errors
    assert "anew" not in output and records_after_header(take) == undisturbed.records
    assert names_in(take.parent) == ["a.h3r", "a.task.jpg", "a.task.json"]


def test_a_clip_that_another_worker_has_elsewhere_goes_on(begun, undisturbed, tmp_path):
    process, take, _ = begun
    process.kill()
    ended(process)
    elsewhere = tmp_path / "mapped" / undisturbed.video.name
    elsewhere.parent.mkdir()
    shutil.copy(undisturbed.video, elsewhere)
    code, output, errors = run_task(elsewhere, "--take", take, *SETTINGS)
    assert code == 0 and "anew" not in output, errors
    assert records_after_header(take) == undisturbed.records


@pytest.mark.parametrize("damage", ["no resume file", "a damaged resume file", "no header"])
def test_what_cannot_be_gone_on_with_begins_anew(begun, undisturbed, damage):
    process, take, command = begun
    process.kill()
    ended(process)
    if damage == "no resume file":
        resume_path(take).unlink()
    elif damage == "a damaged resume file":
        resume_path(take).write_bytes(b"no archive")
    else:
        os.truncate(take, 50)
    code, _, errors = run_task(*command)
    assert code == 0, errors
    assert records_after_header(take) == undisturbed.records and not resume_path(take).exists()


def test_a_take_of_other_settings_is_not_lost_by_accident(undisturbed, tmp_path):
    take = tmp_path / "a.h3r"
    shutil.copy(undisturbed.take, take)
    other = (undisturbed.video, "--take", take, *SETTINGS, "--end", 3)
    code, output, errors = run_task(*other, "--progress", "openjd")
    assert code == 1 and "take-of-others" in errors and "end = None, not 3" in errors
    assert "openjd_fail: The take" in output
    assert records_after_header(take) == undisturbed.records
    code, _, errors = run_task(*other, "--overwrite")
    assert code == 0, errors
    assert frames_so_far(take) == 3


def test_a_take_of_other_footage_is_not_lost_by_accident(undisturbed, tmp_path):
    other = tmp_path / "other.mp4"
    shutil.copy(undisturbed.video, other)
    code, _, errors = run_task(other, "--take", undisturbed.take, *SETTINGS)
    assert code == 1 and "source = 'long.mp4', not 'other.mp4'" in errors


def test_two_tasks_never_write_one_take(begun, undisturbed):
    process, take, command = begun
    with paused(process):
        written = take.read_bytes()
        code, output, errors = run_task(*command, "--progress", "openjd")
        assert code == 75 and "take-busy" in errors and str(process.pid) in errors and "openjd_fail: " in output
        assert take.read_bytes() == written
    code, _, errors = ended(process)
    assert code == 0, errors
    assert records_after_header(take) == undisturbed.records


def test_a_silent_task_is_taken_over_and_does_no_harm_when_it_wakes(begun, undisturbed):
    """As a computer that slept, or that the network had lost for a while."""
    process, take, command = begun
    with paused(process):
        lock = lock_path(take)
        long_ago = lock.stat().st_mtime - SILENCE_S - 1
        os.utime(lock, (long_ago, long_ago))
        successor = start_task(*command)
        wait_until(lambda: lock.exists() and lock.read_text().startswith(f"{successor.pid}\n"), "the take-over")
        with paused(successor):
            process.send_signal(signal.SIGCONT)
            code, _, errors = ended(process)
            assert code == 75 and "take-lost" in errors
    code, _, errors = ended(successor)
    assert code == 0, errors
    assert records_after_header(take) == undisturbed.records
    assert names_in(take.parent) == ["a.h3r", "a.task.jpg", "a.task.json"]


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here")
def test_a_job_that_asks_for_a_gpu_does_not_go_to_the_processor(undisturbed, tmp_path):
    code, _, errors = run_task(undisturbed.video, "--take", tmp_path / "a.h3r", "--require-gpu", *SETTINGS)
    assert code == 75 and "gpu-missing" in errors and torch.__version__ in errors
    assert names_in(tmp_path) == ["a.task.json"]


def test_several_clips_share_one_load_and_a_bad_one_stops_no_other(tmp_path):
    for name in ("one", "two"):
        write_video(tmp_path / f"{name}.mp4", 3, size=(160, 120), draw=busy_picture)
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    tasks = [[[str(tmp_path / f"{name}.mp4"), name] for name in ("one", "bad", "two")], [["/missing.mp4", "missing"]]]
    (tmp_path / "clips.json").write_text(json.dumps({"format": 1, "tasks": tasks}))
    command = ("--list", tmp_path / "clips.json", "--output", tmp_path / "out", *SETTINGS)
    code, output, errors = run_task(*command, "--item", 0)
    assert code == 1 and errors.count("footage-unreadable") == 1
    assert output.count("Loading the model") <= 1, "lines come at most once a second"
    assert [read_note(tmp_path / "out" / f"{name}.h3r").status for name in ("one", "bad", "two")] == [
        "complete", "failed", "complete",
    ]  # fmt: skip
    code, output, _ = run_task(*command, "--item", 0, "--keep-going")
    assert code == 0 and "already complete" in output
    assert run_task(*command, "--item", 1)[0] == 1
    assert run_task(*command, "--item", 2)[0] == 1


def test_a_worker_without_the_engine_s_parts_says_so_once(tmp_path):
    clips = [write_video(tmp_path / f"{name}.mp4", 3, size=(160, 120), draw=busy_picture) for name in "abc"]
    also = [part for clip in clips[1:] for part in ("--also", clip, clip.with_suffix(".h3r"))]
    task = (clips[0], "--take", clips[0].with_suffix(".h3r"), *also, "--keep-going", "--progress", "openjd")
    code, output, errors = ended(start_without(("torch",), *task))
    assert code == 1 and errors.count("engine-incomplete") == output.count("openjd_fail") == 1
    assert "install-engine" in output and "Traceback" not in errors
    code, _, errors = run_task(*task, "--model", "896L")
    assert code == 1 and errors.count("weights-missing") == 1 and not list(tmp_path.glob("*.h3r"))


def test_a_take_that_was_begun_on_another_device_waits_for_such_a_worker():
    settings = CaptureSettings(source="a.mp4", take="a.h3r", device="cuda")
    header = TakeHeader(1, "", (2, 2), 25.0, 5, "m", "mannequin", settings)
    assert worker._going_on(header, replace(settings, source="/b/a.mp4"), "cuda").source == "/b/a.mp4"
    with pytest.raises(UserError, match="device-differs") as caught:
        worker._going_on(header, settings, "cpu")
    assert exit_code(caught.value) == 75


def test_progress_comes_at_most_once_a_second(undisturbed, monkeypatch, tmp_path):
    with TakeReader(undisturbed.take) as reader:
        frames = [message for message in reader if isinstance(message, Frame)]
    now = 100.0
    monkeypatch.setattr(telling.time, "monotonic", lambda: now)
    with open(tmp_path / "lines", "w+b") as lines:
        teller = telling.Teller(lines, "plain")
        teller.begin(0, 1, "a.mp4")
        for frame in frames:
            teller.hear(frame)
            now += 0.1
        lines.seek(0)
        assert len(lines.readlines()) == 5


def test_a_python_without_any_package_says_so_too(tmp_path):
    code, _, errors = ended(start_without(("numpy",), "a.mp4", "--take", tmp_path / "a.h3r"))
    assert code == 1 and errors.count("engine-incomplete") == 1 and "install-engine" in errors
    assert "Traceback" not in errors


def test_a_full_disk_is_told_and_the_same_task_goes_on(undisturbed, tmp_path):
    resource = pytest.importorskip("resource")
    take, most = tmp_path / "a.h3r", len(undisturbed.records) * 2 // 3
    limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most, most))
    command = (undisturbed.video, "--take", take, *SETTINGS)
    code, _, errors = run_task(*command, preexec_fn=limited)
    assert code == 1 and "disk-full" in errors and 0 < frames_so_far(take) < FRAMES
    code, output, errors = run_task(*command)
    assert code == 0 and "anew" not in output, errors
    assert records_after_header(take) == undisturbed.records
