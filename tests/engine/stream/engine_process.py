# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as people and Blender start it: real child processes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from engine.contract.framing import read_record, write_record
from engine.contract.message_records import decode, encode
from engine.contract.messages import Frame, Message
from engine.contract.take import TakeReader
from tests.waiting import HANG_S, communicate, wait_until

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def engine_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "engine", *(str(argument) for argument in arguments)]


def start_run(*arguments: object, **how: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        engine_command("run", *arguments),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **how,
    )


def run_engine(*arguments: object) -> tuple[int, dict[str, Any], str]:
    """Run to the end; returns exit code, the --json summary and what was on standard error."""
    process = start_run(*arguments, "--json")
    output, errors = communicate(process)
    return process.returncode, json.loads(output), errors.decode()


def frames_so_far(take: Path) -> int:
    """Frames in a take that is being written."""
    if not take.exists() or take.stat().st_size < 1000:
        return 0
    with TakeReader(take) as reader:
        return sum(isinstance(message, Frame) for message in reader)


@contextlib.contextmanager
def paused(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """The process stands still inside: what is sent to it there comes before anything that it does afterwards."""
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, "the pause")
    yield
    process.send_signal(signal.SIGCONT)


class Server:
    """`python -m engine serve`, its replies decoded by a thread as they come."""

    def __init__(self, command: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            command or engine_command("serve"),
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.errors: list[bytes] = []
        self._messages: queue.Queue[Message | BaseException | None] = queue.Queue()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        try:
            while (record := read_record(self.process.stdout)) is not None:
                self._messages.put(decode(record))
        except BaseException as error:
            self._messages.put(error)
        self._messages.put(None)

    def _read_errors(self) -> None:
        self.errors.extend(iter(self.process.stderr.readline, b""))

    def send(self, message: Message) -> None:
        write_record(self.process.stdin, encode(message))

    def next(self) -> Message | None:
        """The next message; None at the end of the stream. A corrupt stream raises here."""
        item = self._messages.get(timeout=HANG_S)
        if isinstance(item, BaseException):
            raise item
        return item

    def until(self, *kinds: type) -> list[Message]:
        """Messages up to the first of one of these kinds, which is the last in the list."""
        messages = []
        while True:
            message = self.next()
            assert message is not None, f"the engine ended: {b''.join(self.errors).decode()}"
            messages.append(message)
            if isinstance(message, kinds):
                return messages

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def run_json(*arguments: object) -> tuple[int, dict, str]:
    """The exit code, the JSON on standard output and what is on standard error of a command of the engine."""
    process = subprocess.Popen(
        engine_command(*arguments, "--json"), cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = communicate(process)
    return process.returncode, json.loads(output), errors.decode()
