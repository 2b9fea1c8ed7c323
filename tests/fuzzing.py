# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaging files in reproducible ways, and watching what a reader does with them.

Tests of this kind are marked `fuzz`. `HUMAN3R_FUZZ_ROUNDS=20` makes every one twenty times longer; seeds are fixed in
any case. pytest says at its end how many inputs were tried (`tests/conftest.py`).
"""

import contextlib
import copy
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = int(os.environ.get("HUMAN3R_FUZZ_ROUNDS", "1"))

MOST_S = 30
"""A reader of a small file that computes for longer hangs, on the slowest machine."""

MEMORY_BYTES = 3 << 29
"""What a reader may take at most beyond what the process has, where the system can bound it."""

FORBIDDEN = frozenset(
    {
        "os.system",
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "subprocess.Popen",
        "pickle.find_class",
        "socket.connect",
        "os.startfile",
        "ctypes.dlopen",
    }
)
"""Python's audit events that no reader causes; unpickling is among them."""

NASTY_NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    1 << 40,
    1 << 60,
    1 << 63,
    (1 << 64) - 1,
)

NASTY_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**400, 1e308, float("inf"), float("nan"), "", "x", "\0", "../x",
    "é" * 2000, [], [[]], {}, {"kind": "frame"}, [0, 2**62], [-1, 3], ["x", "<f4", [0, 2**62]], ["x", "|O", [1]],
)  # fmt: skip

tried = 0
"""Inputs that readers of this process were given."""

_seen: list[str] = []
_watching = False


def _hear(event: str, _: tuple[Any, ...]) -> None:
    if _watching and event in FORBIDDEN:
        _seen.append(event)


sys.addaudithook(_hear)


def mutations(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Copies of a valid file with one to four damages each: flips, cuts, repetitions, splices, huge lengths."""
    dice = random.Random(seed)
    for _ in range(count * ROUNDS):
        data = bytearray(content)
        for _ in range(dice.choice((1, 1, 1, 2, 4))):
            _damage(data, content, dice)
        yield bytes(data)


def _damage(data: bytearray, other: bytes, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    size = dice.choice((1, 2, 4, 8, 40, 400))
    kind = dice.randrange(6)
    if kind == 0 and data:
        data[at - 1] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        del data[at : at + size]
    elif kind == 3:
        data[at:at] = data[at : at + size] * dice.randrange(1, 4)
    elif kind == 4:
        start = dice.randrange(len(other))
        data[at : at + size] = other[start : start + size]
    else:
        width = dice.choice((1, 2, 4, 8))
        number = dice.choice(NASTY_NUMBERS) & ((1 << 8 * width) - 1)
        data[at : at + width] = number.to_bytes(width, dice.choice(("little", "big")))


def changed_json(value: Any, count: int, seed: int) -> Iterator[Any]:
    """Copies of a JSON value with one or two parts replaced, removed or nested deeply."""
    dice = random.Random(seed)
    text = json.dumps(value)
    for _ in range(count * ROUNDS):
        changed = json.loads(text)
        for _ in range(dice.choice((1, 1, 2))):
            holder = dice.choice(list(_containers(changed)))
            place = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            if dice.random() < 0.1:
                del holder[place]
            else:
                holder[place] = copy.deepcopy(dice.choice(NASTY_VALUES))
            if not any(True for _ in _containers(changed)):
                break
        yield changed


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        if value:
            yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _containers(part)


@dataclass(frozen=True)
class Reader:
    """One reader of one kind of file: a line for each is all that the suite needs."""

    name: str
    file: str
    """What the file is called, with the ending that readers go by."""
    content: bytes
    """Of a small file that is read."""
    read: Callable[[Path], object]
    refusals: tuple[type[Exception], ...] = ()
    """What the reader says no with."""


def attack(reader: Reader, folder: Path, count: int, seed: int) -> None:
    """Give a reader so many damaged files, and as many again with changed values where the file is JSON."""
    path = folder / reader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(reader.content)
    assert survives(lambda: reader.read(path), ())
    for data in (*_changed(reader.content, count, seed), *NO_FILES, *mutations(reader.content, count, seed)):
        path.write_bytes(data)
        survives(lambda: reader.read(path), reader.refusals)


NO_FILES = (b"", b"[" * 500_000, b"\xff\xfe", b"\0" * 4096, b"null", b"[]", b"{}", b"9" * 10_000, b"1e999")
"""Contents that no reader of anything expects."""


def _changed(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    try:
        value = json.loads(content)
    except ValueError:
        return
    for changed in changed_json(value, count, seed):
        yield json.dumps(changed).encode()


def survives(read: Callable[[], object], expected: tuple[type[Exception], ...]) -> bool:
    """Whether a reader succeeds, False where it refuses with an expected exception.

    Any other exception, a hang, memory beyond the bound, or running something fails the test.
    """
    global _watching, tried
    tried += 1
    _seen.clear()
    try:
        with _bounded_memory(), _bounded_time():
            _watching = True
            try:
                read()
                return True
            except expected:
                return False
            finally:
                _watching = False
    finally:
        assert not _seen, f"the reader caused {_seen}"


@contextlib.contextmanager
def _bounded_time() -> Iterator[None]:
    """Bounds the processor's time, which others on a busy machine do not use up (not on Windows)."""
    if not hasattr(signal, "SIGPROF"):
        yield
        return

    def stop(*_: object) -> None:
        raise AssertionError(f"the reader hangs: no answer after {MOST_S} s")

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


@contextlib.contextmanager
def _bounded_memory() -> Iterator[None]:
    """Lets allocations beyond the bound fail, which no reader expects (Linux only)."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        yield
        return
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
