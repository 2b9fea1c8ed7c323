# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine self-test --files`: whether a user's disk and system do with files what the programs count on.

Each check is small and cleans up after itself; on a system that its authors never had, the answers say what holds.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from .contract.file_names import long_path
from .contract.stop_signals import STOP_SIGNALS
from .contract.whole_file import replace_file

LARGE = (1 << 32) + 4096
"""Bytes: more than 32 bits can count."""
READER_S = 0.5
CHILD_S = 60.0
_UMLAUT = "\u00dcbung \u52d5\u753b"
_CHILD = """
import sys, time
from engine.contract.stop_signals import handle_stop_signals
handle_stop_signals(lambda *_: sys.exit(3))
print("ready", flush=True)
time.sleep(60)
"""


@dataclass(frozen=True)
class FileCheck:
    """One answer."""

    name: str
    passed: bool
    detail: str = ""
    """What happened; empty where all went as it should."""


def check_files(folder: Path | None = None) -> list[FileCheck]:
    """All checks, in a new folder within `folder` (None: where the system keeps temporary files)."""
    place = tempfile.mkdtemp(prefix="human3r-files-", dir=folder)
    try:
        return [_checked(check, Path(place)) for check in CHECKS]
    finally:
        _remove(place)


def system() -> str:
    """The system and the Python that these answers are of, in a line."""
    return f"{platform.platform()}, {platform.machine()}, Python {platform.python_version()}"


def _checked(check: Callable[[Path], str], place: Path) -> FileCheck:
    name = (check.__doc__ or "").rstrip(".")
    try:
        detail = check(place)
    except (OSError, subprocess.SubprocessError) as error:
        return FileCheck(name, False, f"{type(error).__name__}: {error}")
    return FileCheck(name, not detail, detail)


def _remove(place: str) -> None:
    for parent, folders, files in os.walk(long_path(Path(place)), topdown=False):
        with contextlib.suppress(OSError):
            for name in files:
                os.unlink(os.path.join(parent, name))  # noqa: PTH108, PTH118 - paths of any length
            for name in folders:
                os.rmdir(os.path.join(parent, name))  # noqa: PTH106, PTH118
    with contextlib.suppress(OSError):
        Path(place).rmdir()


def _locks(place: Path) -> str:
    """A file is locked once."""
    with FileLock(place / "lock"):
        try:
            with FileLock(place / "lock", timeout=0, is_singleton=False):
                return "locked twice"
        except Timeout:
            return ""


def _replace_over_open(place: Path) -> str:
    """A file is replaced that a program has open for a moment."""
    target, fresh = place / "target", place / "fresh"
    target.write_text("old", encoding="utf-8")
    fresh.write_text("new", encoding="utf-8")
    reader = open(target, encoding="utf-8")
    closing = threading.Timer(READER_S, reader.close)
    closing.start()
    try:
        replace_file(fresh, target)
    finally:
        closing.join()
    return "" if target.read_text(encoding="utf-8") == "new" else "the old content is there"


def _long(place: Path) -> str:
    """A path of 300 characters."""
    folder = place / ("d" * 120)
    path = folder / ("f" * max(1, min(250, 300 - len(str(folder)) - 1)))
    Path(long_path(folder)).mkdir()
    with open(long_path(path), "w", encoding="utf-8") as file:
        file.write("long")
    with open(long_path(path), encoding="utf-8") as file:
        return "" if file.read() == "long" else "other content was read"


def _umlaut(place: Path) -> str:
    """A name with letters of other languages."""
    (place / _UMLAUT).mkdir()
    (place / _UMLAUT / _UMLAUT).write_text(_UMLAUT, encoding="utf-8")
    return "" if (place / _UMLAUT / _UMLAUT).read_text(encoding="utf-8") == _UMLAUT else "other content was read"


def _large(place: Path) -> str:
    """A file of more than 4 GB, nearly all of it empty."""
    path = place / "large"
    path.touch()
    if sys.platform == "win32":  # else its zeros are written out
        subprocess.run(["fsutil", "sparse", "setflag", str(path)], capture_output=True, check=False)
    with open(path, "r+b") as file:
        file.truncate(LARGE)
        file.seek(LARGE - 4)
        file.write(b"last")
    with open(path, "rb") as file:
        file.seek(LARGE - 4)
        last = file.read()
    size = path.stat().st_size
    path.unlink()
    return "" if (last, size) == (b"last", LARGE) else f"{size} bytes, ending in {last!r}"


def _stop(place: Path) -> str:
    """A program that is asked to stop does so in order."""
    root = str(Path(__file__).resolve().parents[1])
    how = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, creationflags=how
    ) as child:
        try:
            child.stdout.readline()  # type: ignore[union-attr]
            child.send_signal(getattr(signal, "CTRL_BREAK_EVENT", STOP_SIGNALS[-1]))
            code = child.wait(CHILD_S)
        finally:
            child.kill()
    return "" if code == 3 else f"it ended with code {code}"


CHECKS = (_locks, _replace_over_open, _long, _umlaut, _large, _stop)
