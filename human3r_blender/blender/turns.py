# SPDX-License-Identifier: GPL-3.0-or-later
"""No thread of ours runs Python while one of Blender's operators runs in an overridden context.

An operator runs without the interpreter's lock. If the context is overridden (`bpy.context.temp_override`), Blender
looks into Python's objects meanwhile. Whether it needs the lock for that it finds out by asking whether Python runs,
and on Python 3.11 (Blender 4.2 to 5.0) the answer is yes as soon as **any** thread runs Python. The two then work on
the same objects at once, and Blender crashes. So our threads run their Python under a lock of our own, and whoever
calls such an operator holds that. Waiting, for input or for a child process, needs no lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

_LOCK = threading.RLock()
_SETTLE_S = 0.001
_PATIENCE_S = 0.001

P = ParamSpec("P")
T = TypeVar("T")


class _Known(threading.local):
    thread = False


_known = _Known()


@contextmanager
def python_allowed() -> Iterator[None]:
    """Around what a thread does in Python between two waits."""
    with _LOCK:
        _known.thread = True  # makes the thread's dictionary, which Blender would make without the interpreter's lock
        yield


@contextmanager
def operators_allowed() -> Iterator[None]:
    """Around operators in an overridden context, on the main thread; waits until the threads have paused."""
    with _LOCK:
        time.sleep(_SETTLE_S)  # who has just let the lock go, or was just started, comes to its next wait
        yield


def submit(name: str, compute: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Future[T]:
    """Compute on a thread of its own, called ``name``."""

    def compute_alone() -> T:
        with python_allowed():
            return compute(*arguments, **options)

    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
    future = worker.submit(compute_alone)
    worker.shutdown(wait=False)
    return future


def result_of(computing: Future[T]) -> Generator[None, None, T]:
    """Slices of a millisecond until a thread has computed, and then what."""
    while not computing.done():
        wait_for([computing], timeout=_PATIENCE_S)
        yield
    return computing.result()


def each(items: Iterable[T]) -> Iterator[T]:
    """The items as they come, for a thread to use; while it waits for the next one others may run."""
    for item in items:
        with python_allowed():
            yield item


def wait() -> Iterator[None]:
    """Slices of a millisecond until no thread computes, so that `operators_allowed` does not hold Blender up."""
    while not _LOCK.acquire(timeout=_PATIENCE_S):
        yield
    _LOCK.release()
