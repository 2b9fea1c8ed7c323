# SPDX-License-Identifier: GPL-3.0-or-later
"""What every child process of Blender is started with, and how it is ended for certain."""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

EXTENSION_ROOT = Path(__file__).resolve().parents[2]
GRACE_S = 1.5
"""A child that is asked to end gets so long to do so by itself, and as long again when it is told to."""

_running: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()


def clean_environment() -> dict[str, str]:
    """The variables of this process without those by which Blender's Python would steer another one."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "__PYVENV_LAUNCHER__"
    }
    return kept | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def start(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a program with pipes for all three streams and without a window. Raises :class:`OSError`."""
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=clean_environment() | dict(variables or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        start_new_session=True,  # Ctrl-C in Blender's terminal is for Blender, which then cancels in order
    )
    _running.add(process)
    _keep_awake(process.pid)
    return process


def keep_awake_command(system: str, process_id: int) -> list[str]:
    """What keeps a system from putting the computer, or a process without a window, to sleep; empty where none does.

    macOS lets programs that nobody sees work slowly ("App Nap"); its own tool asks it not to until that process ends.
    """
    return ["/usr/bin/caffeinate", "-i", "-w", str(process_id)] if system == "darwin" else []


def _keep_awake(process_id: int) -> None:
    if command := keep_awake_command(sys.platform, process_id):
        nothing = subprocess.DEVNULL
        with contextlib.suppress(OSError):
            subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)


def end(process: subprocess.Popen[bytes], grace_s: float = GRACE_S) -> None:
    """Close its input, and after ``grace_s`` seconds insist, and then kill. Blocks until it is gone."""
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]
    for insist in (lambda: None, process.terminate, process.kill):
        insist()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
            break
    _running.discard(process)


@atexit.register
def end_all(grace_s: float = GRACE_S) -> None:
    """End every child that still runs: when Blender quits, and before the engine's environment is changed."""
    for process in list(_running):
        end(process, grace_s)
