# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine chunk-worker`: one of the processes that share a capture's work. Only `run --workers` starts it.

Its first line of standard input is its :class:`Task`; each later one permits a chunk, so that it is never far ahead of
what the other process takes in. On standard output it tells what it has done, as lines of JSON. When standard input
ends, it ends at once: nobody needs its work any more.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ..contract.errors import UserError
from ..contract.exit_codes import CANCELLED, DONE, FAILED
from ..contract.json_checks import build
from ..contract.logs import log
from ..contract.settings import CaptureSettings
from ..contract.stop_signals import handle_stop_signals
from ..contract.whole_file import explained_write_errors

NOT_WRITTEN = "Temporary files beside the take cannot be written"


@dataclass(frozen=True)
class Task:
    """What one worker does."""

    settings: CaptureSettings
    """Resolved."""
    clip: str
    folder: str
    """Where chunk files go."""
    worker: int
    workers: int
    first: int
    """Chunks before this one are done. Of the others it has those whose number leaves `worker` when divided by
    `workers`."""

    def chunks(self) -> Iterator[int]:
        """The worker's own, without end."""
        index = self.first + (self.worker - self.first) % self.workers
        while True:
            yield index
            index += self.workers

    def has(self, index: int) -> bool:
        """Whether a chunk is the worker's own."""
        return index >= self.first and index % self.workers == self.worker

    def wants(self, place: int) -> bool:
        """Whether the frame at this place of the clip is one of a chunk, the one before, or the one after."""
        index, offset = divmod(place, self.settings.reset_interval)
        is_before, is_after = offset == self.settings.reset_interval - 1, offset == 0
        return self.has(index) or (is_before and self.has(index + 1)) or (is_after and self.has(index - 1))


def chunk_path(folder: str | Path, index: int) -> Path:
    """Where a chunk's file lies."""
    return Path(folder) / f"{index}.h3rc"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are no options: what is to be done comes on standard input."""


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Work until all is done, or nobody wants it any more. Returns the exit code."""
    # Whoever stops the capture speaks to the process that started this one, which saves its state first.
    handle_stop_signals(lambda *_: None)

    def tell(**what: object) -> None:
        with contextlib.suppress(OSError):
            stdout.write(json.dumps(what).encode() + b"\n")
            stdout.flush()

    # Unbuffered and its own descriptor: a thread that waits in Python's stdin would hold up the end of the process.
    lines = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    permits = threading.Semaphore(0)
    try:
        task = build(Task, json.loads(lines.readline()))
        threading.Thread(target=_permit, args=(lines, permits), daemon=True).start()
        _work(task, permits, tell)
    except UserError as error:
        tell(failure=error.as_dict())
        return FAILED
    except Exception as error:
        log.exception("A worker failed")
        tell(failure=_unexpected(error).as_dict())
        return FAILED
    return DONE


def _unexpected(error: Exception) -> UserError:
    return UserError(
        "worker-failed",
        "A worker stopped with an unexpected error: {kind}: {error}",
        "Start the capture again. If it happens again, report it with the engine's log.",
        kind=type(error).__name__,
        error=str(error),
    )


def _tell_done(tell: Callable[..., None], index: int, count: int) -> None:
    tell(chunk=index, done=count)


def _permit(lines: BinaryIO, permits: threading.Semaphore) -> None:
    """The thread that reads; it ends the process when nobody speaks any more."""
    while lines.readline():
        permits.release()
    os._exit(CANCELLED)


def _work(task: Task, permits: threading.Semaphore, tell: Callable[..., None]) -> None:
    from ..model.memory import explained_memory_errors
    from ..video.footage import open_footage
    from ..video.reading import FrameReader
    from .plan import reset_chunk
    from .running import ChunkRunner, PlacedFrames, load_network

    settings = task.settings
    with explained_memory_errors(settings):
        footage, model = open_footage(settings.source, settings.frame_rate), load_network(settings)
        span = (settings.start, settings.end, settings.stride)
        reader = FrameReader(footage, model.picture_map(footage.size), *span, wanted=task.wants)
        with reader, explained_write_errors(NOT_WRITTEN, "temporary-unwritable"):
            runner = ChunkRunner(settings, task.clip, footage, PlacedFrames(iter(reader), task.wants), model)
            for index in task.chunks():
                permits.acquire()
                tell_done = partial(_tell_done, tell, index)
                end = runner.write(reset_chunk(settings, index), chunk_path(task.folder, index), tell_done)
                tell(chunk=index, end=asdict(end))
                if not end.more:
                    return
