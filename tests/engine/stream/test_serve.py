# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine serve` as Blender uses it: real processes, real pipes, real deaths."""

import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.contract.framing import write_record
from engine.contract.message_records import encode
from engine.contract.messages import (
    CancelCapture,
    Failure,
    Frame,
    FrameImage,
    Shutdown,
    StartCapture,
    Status,
    TakeEnd,
    TakeHeader,
)
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from tests.engine.stream.engine_process import ENVIRONMENT, ROOT, Server, engine_command, frames_so_far, paused
from tests.engine.stream.footage_files import busy_picture, write_video
from tests.waiting import end_of, wait_until, work_of

NOISY_MODULE = """
import os, sys
def scream():
    os.write(1, b"a library writes to descriptor 1")
    print("a library prints", flush=True)
    sys.__stdout__.write("and to the old stdout") if sys.__stdout__ else None
import engine.supply
opened = engine.supply.open_footage
def open_footage(*arguments):
    scream()
    return opened(*arguments)
engine.supply.open_footage = open_footage
"""


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("footage") / "long.mp4", 400, size=(160, 120), draw=busy_picture)


@pytest.fixture
def settings(video, tmp_path):
    return CaptureSettings(
        source=str(video), take=str(tmp_path / "a.h3r"), end=5, detection_threshold=0.2, model="recipe:small"
    )


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def same(left, right):
    return encode(left).values == encode(right).values and all(
        (encode(left).arrays[name] == encode(right).arrays[name]).all() for name in encode(left).arrays
    )


def test_an_interrupted_capture_is_resumed_and_streamed_from_its_beginning(settings):
    settings = dataclasses.replace(settings, end=40)
    with Server() as server:
        server.send(StartCapture(settings))
        server.until(Frame)
        server.send(CancelCapture())
        assert server.until(TakeEnd)[-1].status == "cancelled"
    with Server() as server:
        server.send(StartCapture(settings, resume=True))
        streamed = server.until(TakeEnd, Failure)
    assert streamed[-1] == TakeEnd("complete", 40)
    with TakeReader(settings.take) as reader:
        taken = [reader.header, *reader]
    lasting = [message for message in streamed if not isinstance(message, Status | FrameImage)]
    assert [message.index for message in lasting if isinstance(message, Frame)] == list(range(40))
    assert len(lasting) == len(taken) and all(map(same, lasting[1:], taken[1:]))


def test_captures_follow_each_other_and_the_model_stays(settings, tmp_path):
    """One server: a capture, a failure, another capture, a cancelled one, one cancelled in the queue, the end."""
    with Server() as server:
        server.send(StartCapture(settings))
        streamed = server.until(TakeEnd, Failure)
        assert streamed[-1] == TakeEnd("complete", 5)
        kinds = [type(message) for message in streamed]
        assert kinds.index(Status) < kinds.index(TakeHeader) < kinds.index(Frame)
        with TakeReader(settings.take) as reader:
            taken = [reader.header, *reader]
        lasting = [message for message in streamed if not isinstance(message, Status | FrameImage)]
        assert len(lasting) == len(taken) and all(map(same, lasting, taken)), "the take holds what was streamed"

        server.send(StartCapture(dataclasses.replace(settings, source=str(tmp_path / "missing.mp4"))))
        failure = server.until(TakeEnd, Failure)[-1]
        assert isinstance(failure, Failure) and failure.code == "footage-missing" and failure.remedy

        assert "loading" in [message.phase for message in streamed if isinstance(message, Status)]
        server.send(StartCapture(settings))
        phases = [message.phase for message in server.until(TakeHeader) if isinstance(message, Status)]
        assert "loading" not in phases, "the model was kept"
        assert server.until(TakeEnd, Failure)[-1] == TakeEnd("complete", 5)

        server.send(StartCapture(dataclasses.replace(settings, end=None)))
        server.until(Frame)
        with paused(server.process):
            seen = frames_so_far(Path(settings.take))
            server.send(StartCapture(settings))
            server.send(CancelCapture())
        end = server.until(TakeEnd, Failure)[-1]
        assert end.status == "cancelled" and seen <= end.frame_count < seen + 20, "it hears at once, and stops"
        with TakeReader(settings.take) as reader:
            assert list(reader)[-1] == end and reader.problem is None
        assert server.next() == TakeEnd("cancelled", 0), "the capture in the queue was cancelled too"

        server.send(Shutdown())
        assert server.next() is None
        assert end_of(server.process) == 0


def test_nothing_that_a_library_prints_reaches_the_stream(settings, tmp_path):
    (tmp_path / "noisy.py").write_text(NOISY_MODULE)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import engine.__main__ as m\n"
        "claim = m.claim_stdout\n"
        "m.claim_stdout = lambda: (claim(), __import__('noisy'))[0]\n"
        "sys.exit(m.main(['serve']))\n"
    )
    with Server([sys.executable, "-c", script]) as server:
        server.send(StartCapture(settings))
        assert server.until(TakeEnd, Failure)[-1] == TakeEnd("complete", 5)
        server.send(Shutdown())
        assert server.next() is None
    errors = b"".join(server.errors)
    assert b"a library writes to descriptor 1" in errors and b"a library prints" in errors


def test_the_engine_ends_when_its_parent_is_killed(settings, tmp_path):
    """A parent process starts the engine, starts a capture and is killed; the engine is our grandchild."""
    endless = dataclasses.replace(settings, end=None)
    request = tmp_path / "request"
    with open(request, "wb") as file:
        write_record(file, encode(StartCapture(endless)))
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({engine_command('serve')!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,"
        " stderr=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True)\n"
        f"child.stdin.write(open({str(request)!r}, 'rb').read()); child.stdin.flush()\n"
        "while child.stdout.read(1 << 12): pass\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE)
    engine = int(parent.stdout.readline())
    take = tmp_path / "a.h3r"
    wait_until(lambda: frames_so_far(take) > 0, "frames")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: gone(engine), "the end of the engine", lambda: work_of(engine))
    assert 0 < frames_so_far(take) < 400, "it did not go on to the end"


def test_the_engine_ends_when_its_input_ends_while_it_is_stuck(settings, tmp_path):
    """The main thread hangs in C with signals blocked, as a stuck driver would: the engine ends nevertheless."""
    script = (
        "import signal, threading, sys, engine.__main__ as m, engine.serve as s\n"
        "def stuck(*_):\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
        "    sys.stderr.write('stuck\\n'); sys.stderr.flush()\n"
        "    import ctypes; ctypes.CDLL(None).sleep(10**6)\n"
        "s.run_capture = stuck\n"
        "sys.exit(m.main(['serve']))\n"
    )
    with Server([sys.executable, "-c", script]) as server:
        server.send(StartCapture(settings))
        wait_until(lambda: b"stuck\n" in server.errors, "the hang")
        server.process.stdin.close()
        assert end_of(server.process) == 1


def test_garbage_on_the_wire_is_answered(settings):
    with Server() as server:
        server.process.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
        server.process.stdin.flush()
        failure = server.next()
        assert isinstance(failure, Failure) and failure.code == "bad-request"
        assert server.next() is None
        assert end_of(server.process) == 1
