# SPDX-License-Identifier: GPL-3.0-or-later
"""One capture, several processes: each runs the network on every N-th chunk, and this one makes the take of them.

Chunk files lie in `OUT.h3r.chunks` beside the take while they are needed. Frames of the chunk that is next come as its
worker makes them; those of later chunks wait until it is their turn.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import torch

from ..capture import CaptureResult, resolved, run_supplied
from ..contract.errors import UserError
from ..contract.exit_codes import DONE
from ..contract.json_checks import build
from ..contract.messages import Status
from ..contract.settings import CaptureSettings
from ..contract.whole_file import explained_write_errors
from ..interruption import Interruption
from ..supply import Sink
from ..video.footage import Footage, open_footage
from .chunk_file import ChunkEnd, ChunkReader
from .chunk_frames import ChunkFrame
from .chunked_model import ChunkedModel
from .clip_fingerprint import clip_fingerprint
from .plan import require_chunks
from .worker_command import NOT_WRITTEN, Task, chunk_path

AHEAD = 2
"""Chunks that each worker may be ahead of what is taken in: bounds the room that their files take."""

MOST_WORKERS = 64

_WAKE_S = 0.1
"""Signals are handled between two waits."""
_ENDING_S = 10.0
"""Workers end by themselves when nobody speaks to them any more; after so long they are ended."""

_DEVICES = "CUDA_VISIBLE_DEVICES"
_ROOT = Path(__file__).resolve().parents[2]


def run_shared(
    settings: CaptureSettings, sink: Sink, interruption: Interruption, count: int, resume: bool
) -> CaptureResult:
    """As :func:`~..capture.run_capture`, with the network's work shared by `count` processes. Raises UserError."""
    if not 1 <= count <= MOST_WORKERS:
        raise UserError(
            "bad-setting",
            "There cannot be {count} workers.",
            "Use --workers with the number of GPUs, from 1 to {most}.",
            count=count,
            most=MOST_WORKERS,
        )
    settings = resolved(settings)
    require_chunks(settings)
    return run_supplied(settings, sink, interruption, Workers(settings, count), resume)


@dataclass
class _Chunk:
    """What is known of a chunk so far."""

    done: int = 0
    """Frames in its file."""
    end: ChunkEnd | None = None


class Workers:
    """Fulfills :class:`~..capture.Supply`; a context manager that ends all processes and removes their files."""

    def __init__(self, settings: CaptureSettings, count: int) -> None:
        """`settings` are resolved."""
        self._settings, self._count = settings, count
        self._folder = Path(f"{settings.take}.chunks")
        self._footage: Footage | None = None
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._news: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self._chunks: dict[int, _Chunk] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            with contextlib.suppress(OSError):  # one that has ended already
                _stdin(process).close()
        for process in self._processes:
            try:
                process.wait(_ENDING_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def footage(self) -> Footage:
        if self._footage is None:
            self._footage = open_footage(self._settings.source, self._settings.frame_rate)
        return self._footage

    def model(self, done: int, sink: Sink) -> ChunkedModel:
        sink(Status("loading", f"Loading the model {self._settings.model}, {self._count} times"))
        first = done // self._settings.reset_interval
        self._start(first)
        while self._chunks.get(first) is None:
            self._take_news()
        with ChunkReader(chunk_path(self._folder, first)) as reader:
            return ChunkedModel(reader.header)

    def frames(self, first: int, done: int) -> AbstractContextManager[Iterable[ChunkFrame]]:
        return contextlib.closing(self._frames(done))  # Windows keeps files that are open

    def _start(self, first: int) -> None:
        settings = self._settings
        with explained_write_errors(NOT_WRITTEN, "temporary-unwritable"):
            shutil.rmtree(self._folder, ignore_errors=True)  # of a capture that was killed
            self._folder.mkdir(parents=True)
        clip = clip_fingerprint(settings.source)
        for worker in range(self._count):
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "engine", "chunk-worker"],
                env=self._environment(worker),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Ctrl-C in a Windows console reaches every process of a group: this one's own answer counts.
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
            self._processes.append(process)
            thread = threading.Thread(target=self._listen, args=(worker, process), daemon=True)
            self._threads.append(thread)
            thread.start()
            self._say(worker, json.dumps(asdict(Task(settings, clip, str(self._folder), worker, self._count, first))))
        for index in range(first, first + AHEAD * self._count):
            self._permit(index)

    def _environment(self, worker: int) -> dict[str, str]:
        """One device each, or a share of the processor's threads."""
        paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
        changes = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        if self._settings.device == "cuda":
            visible = os.environ.get(_DEVICES)
            devices = visible.split(",") if visible else [str(number) for number in range(torch.cuda.device_count())]
            changes[_DEVICES] = devices[worker % len(devices)]
        elif self._settings.device == "cpu":
            changes["OMP_NUM_THREADS"] = str(max(1, torch.get_num_threads() // self._count))
        return os.environ | changes

    def _listen(self, worker: int, process: subprocess.Popen[bytes]) -> None:
        """The thread that reads what a worker tells; an empty line says that it has ended."""
        assert process.stdout is not None
        for line in process.stdout:
            self._news.put((worker, line))
        self._news.put((worker, b""))

    def _say(self, worker: int, line: str) -> None:
        with contextlib.suppress(OSError):  # it has ended, and why comes among the news
            stream = _stdin(self._processes[worker])
            stream.write(line.encode() + b"\n")
            stream.flush()

    def _permit(self, index: int) -> None:
        """Let a chunk's worker go on with it."""
        self._say(index % self._count, "")

    def _take_news(self) -> None:
        """Wait for a short while for what a worker tells. Raises UserError when one could not do its work."""
        try:
            worker, line = self._news.get(timeout=_WAKE_S)
        except queue.Empty:
            return
        if not line:
            self._check_end(self._processes[worker].wait())
            return
        told = json.loads(line)
        if "failure" in told:
            raise UserError.from_dict(told["failure"])
        chunk = self._chunks.setdefault(told["chunk"], _Chunk())
        if "end" in told:
            chunk.end = build(ChunkEnd, told["end"])
        else:
            chunk.done = told["done"]

    def _check_end(self, code: int) -> None:
        if code != DONE:
            raise UserError(
                "worker-ended",
                "One of the processes that share the work ended unexpectedly, with code {code}. There may have been "
                "too little memory.",
                "Give the same command with --resume, and fewer workers.",
                code=code,
            )

    def _frames(self, done: int) -> Generator[ChunkFrame, None, None]:
        index, skipped = divmod(done, self._settings.reset_interval)
        end: ChunkEnd | None = None
        while end is None or end.more:
            yield from itertools.islice(self._frames_of(index), skipped, None)
            end, skipped = self._chunks[index].end, 0
            chunk_path(self._folder, index).unlink(missing_ok=True)
            self._permit(index + AHEAD * self._count)
            index += 1
        self.footage().problem = end.problem or None

    def _frames_of(self, index: int) -> Iterator[ChunkFrame]:
        """Those of one chunk, each as soon as it is there."""
        while index not in self._chunks:
            self._take_news()
        chunk, taken = self._chunks[index], 0
        with ChunkReader(chunk_path(self._folder, index)) as reader:
            frames = reader.frames()
            while True:
                while chunk.done == taken and chunk.end is None:
                    self._take_news()
                if chunk.done == taken:
                    return
                yield next(frames)
                taken += 1


def _stdin(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdin is not None
    return process.stdin
