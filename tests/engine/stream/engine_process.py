# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as people and Blender start it: real child processes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.contract.framing import read_record, write_record
from engine.contract.messages import Message, decode, encode

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
PATIENCE_S = 60.0


def engine_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "engine", *(str(argument) for argument in arguments)]


def start_run(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        engine_command("run", *arguments), cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def run_engine(*arguments: object) -> tuple[int, dict[str, Any], str]:
    """Run to the end; returns exit code, the --json summary and what was on standard error."""
    process = start_run(*arguments, "--json")
    output, errors = process.communicate(timeout=PATIENCE_S)
    return process.returncode, json.loads(output), errors.decode()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


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
        item = self._messages.get(timeout=PATIENCE_S)
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
