# SPDX-License-Identifier: GPL-3.0-or-later
"""`run --workers`: the same take as without, and nothing is left behind, however it ends."""

import json
import signal
import subprocess
from dataclasses import asdict

import psutil
import pytest

from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from engine.farm_chunks.chunk_file import ChunkEnd, ChunkReader, ChunkWriter
from engine.farm_chunks.worker_command import Task, chunk_path
from engine.farm_chunks.workers import Workers
from engine.resuming.resume_file import resume_path
from tests.engine.farm_chunks.commands import OPTIONS, chunked
from tests.engine.stream.engine_process import (
    ENVIRONMENT,
    ROOT,
    engine_command,
    frames_so_far,
    run_engine,
    start_run,
)
from tests.engine.stream.footage_files import busy_picture, write_video
from tests.waiting import communicate, wait_until

FRAMES = 64
RESET = (*OPTIONS, "--reset-interval", "9", "--device", "cpu")


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    """A video of some seconds' work, the options, and the records of a run in one process."""
    folder = tmp_path_factory.mktemp("long")
    video = write_video(folder / "long.mp4", FRAMES, size=(160, 120), draw=busy_picture)
    options = (*RESET, "--camera", "tracked")
    code, _, errors = run_engine(video, "--take", folder / "whole.h3r", *options)
    assert code == 0, errors
    return video, options, records_after_header(folder / "whole.h3r")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_chunk_that_is_stopped_is_no_file(long_run, tmp_path, number):
    """It is simply run again."""
    options = (*RESET, "--reset-interval", "1000", "--index", 0, "--output", tmp_path / "0.h3rc")
    command = engine_command("farm-chunk", long_run[0], *options)
    process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: any(path.stat().st_size > 200_000 for path in tmp_path.glob("*/0.h3rc")), "some frames")
    process.send_signal(number)
    communicate(process)
    assert process.returncode == (130 if number == signal.SIGTERM else -signal.SIGKILL)
    assert not (tmp_path / "0.h3rc").exists()
    if number == signal.SIGTERM:
        assert not list(tmp_path.iterdir())


def records_after_header(path):
    with TakeReader(path) as reader:
        offset = reader.offset
    return path.read_bytes()[offset:]


def workers_of(process):
    return [child for child in psutil.Process(process.pid).children(recursive=True) if child.is_running()]


def interrupted(long_run, take, *how):
    """A shared run that is in the middle, and its workers."""
    video, options, _ = long_run
    process = start_run(video, "--take", take, *options, "--workers", 2, *how)
    wait_until(lambda: frames_so_far(take) > 11 and resume_path(take).exists(), "frames beyond the first chunk")
    return process, workers_of(process)


def assert_ended(process, workers, take):
    communicate(process)
    wait_until(lambda: not any(map(psutil.Process.is_running, workers)), "the end of the workers")
    assert len(workers) == 2 and frames_so_far(take) < FRAMES, "it was stopped in the middle"


@pytest.mark.parametrize("workers", [2, 3])
def test_the_take_is_the_one_of_a_single_process(long_run, tmp_path, workers):
    video, options, expected = long_run
    take = tmp_path / "a.h3r"
    code, summary, errors = run_engine(video, "--take", take, *options, "--workers", workers)
    assert code == 0, errors
    assert summary["frame_count"] == FRAMES and f"frame {FRAMES} of {FRAMES}" in errors
    assert records_after_header(take) == expected
    assert [path.name for path in tmp_path.iterdir()] == ["a.h3r"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_all_processes_and_the_capture_goes_on_later(long_run, tmp_path, number):
    take = tmp_path / "a.h3r"
    process, workers = interrupted(long_run, take)
    process.send_signal(number)
    assert_ended(process, workers, take)
    assert process.returncode == 130
    assert {path.name for path in tmp_path.iterdir()} == {"a.h3r", "a.h3r.resume"}
    code, summary, _ = run_engine("--take", take, "--resume")
    assert (code, summary["code"]) == (1, "resume-mismatch") and "--workers" in summary["remedy"]
    code, _, errors = run_engine("--take", take, "--resume", "--workers", 3)
    assert code == 0, errors
    assert records_after_header(take) == long_run[2]
    assert [path.name for path in tmp_path.iterdir()] == ["a.h3r"]


def test_a_stop_that_all_processes_are_told_of_is_no_failure(long_run, tmp_path):
    """Terminals and some farms send it to the whole group."""
    take = tmp_path / "a.h3r"
    process, workers = interrupted(long_run, take)
    for one in (*workers, process):
        one.send_signal(signal.SIGTERM)
    assert_ended(process, workers, take)
    assert process.returncode == 130 and resume_path(take).exists()


def test_workers_end_when_the_process_is_killed_that_started_them(long_run, tmp_path):
    take = tmp_path / "a.h3r"
    process, workers = interrupted(long_run, take)
    process.kill()
    assert_ended(process, workers, take)
    code, _, errors = run_engine("--take", take, "--resume", "--workers", 2)
    assert code == 0, errors
    assert records_after_header(take) == long_run[2]
    assert [path.name for path in tmp_path.iterdir()] == ["a.h3r"], "the killed run's chunk files are gone, too"


def test_a_worker_that_dies_is_told_of_and_costs_no_frame(long_run, tmp_path):
    take = tmp_path / "a.h3r"
    process, workers = interrupted(long_run, take, "--json")
    workers[1].kill()
    output, errors = communicate(process)
    assert process.returncode == 1 and json.loads(output)["code"] == "worker-ended", errors
    assert not any(map(psutil.Process.is_running, workers)) and not (tmp_path / "a.h3r.chunks").exists()
    code, _, errors = run_engine("--take", take, "--resume", "--workers", 1)
    assert code == 1, "one process alone has no state of the network"
    code, _, errors = run_engine("--take", take, "--resume", "--workers", 2)
    assert code == 0, errors
    assert records_after_header(take) == long_run[2]


def test_what_one_process_began_several_can_go_on_with(long_run, tmp_path):
    video, options, expected = long_run
    take = tmp_path / "a.h3r"
    process = start_run(video, "--take", take, *options)
    wait_until(lambda: frames_so_far(take) > 11 and resume_path(take).exists(), "frames beyond the first chunk")
    process.send_signal(signal.SIGTERM)
    communicate(process)
    assert process.returncode == 130 and frames_so_far(take) < FRAMES
    code, _, errors = run_engine("--take", take, "--resume", "--workers", 2)
    assert code == 0, errors
    assert records_after_header(take) == expected


@pytest.mark.parametrize(("options", "code"), [
    (("--start", "500"), "footage-too-short"),
    (("--model", "recipe:enormous"), "unknown-model"),
])  # fmt: skip
def test_what_is_wrong_for_all_workers_is_told_once(long_run, tmp_path, options, code):
    take = tmp_path / "a.h3r"
    exit_code, summary, _ = run_engine(long_run[0], "--take", take, *RESET, *options, "--workers", 2)
    assert (exit_code, summary["code"]) == (1, code)
    assert not list(tmp_path.iterdir())


def test_every_chunk_has_one_worker_and_every_worker_sees_what_its_chunks_need():
    settings = CaptureSettings("a.mp4", "a.h3r", reset_interval=4)
    tasks = [Task(settings, "", "", worker, 3, 2) for worker in range(3)]
    for index in range(2, 12):
        (owner,) = (task for task in tasks if task.has(index))
        assert index in [chunk for chunk, _ in zip(owner.chunks(), range(5), strict=False)]
        assert all(owner.wants(place) for place in range(4 * index - 1, 4 * index + 5))
    assert sum(tasks[0].wants(place) for place in range(48)) == 3 * (4 + 2) + 1, "and no more"


def test_frames_come_as_soon_as_their_worker_has_them(tmp_path, long_run):
    """Those of the chunk that is next: the rest of it is not waited for."""
    (path,) = chunked(long_run[0], tmp_path, *RESET, "--end", "3")
    workers = Workers(CaptureSettings("a.mp4", str(tmp_path / "a.h3r"), reset_interval=9), 2)
    target = chunk_path(tmp_path / "a.h3r.chunks", 0)
    target.parent.mkdir()
    with ChunkReader(path) as reader, open(target, "wb") as file, workers:
        header, (first, second, _) = reader.header, reader.frames()
        writer, came = ChunkWriter(file, header), workers._frames_of(0)
        workers._news.put((0, b'{"chunk": 0, "done": 0}'))
        for number, frame in ((1, first), (2, second)):
            writer.write(frame)
            workers._news.put((0, json.dumps({"chunk": 0, "done": number}).encode()))
            assert next(came).source_frame == frame.source_frame
        workers._news.put((0, json.dumps({"chunk": 0, "end": asdict(ChunkEnd(2, 1, False, ""))}).encode()))
        assert next(came, None) is None
