# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcome of the last self-test, kept beside the data for the Python that it was run with.

Every installation has a folder of its own, and so a Python of its own: what was tested counts for no other.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path

from ...engine.contract.json_checks import BadJson, build, read_json
from ...engine.installed import locations
from .background_task import Task
from .installation.store import write_json

DEVICE_NAMES = {"cpu": "the CPU", "cuda": "CUDA", "mps": "Metal"}


@dataclass(frozen=True)
class Record:
    """One self-test of one Python."""

    python: str
    passed: bool
    detail: str
    """One line: device, precision, memory and rate, or what failed."""
    device: str = ""
    """What it ran on: ``cpu``, ``cuda``, ``mps``; empty when it failed."""
    frames_per_second: float = 0.0
    """0 when it failed, or was kept by a version that did not note it."""


def read(python: Path | None) -> Record | None:
    """The outcome for this Python; None when it was not tested, or another one was."""
    try:
        record = build(Record, read_json(_path()))
    except (OSError, BadJson):
        return None
    return record if python is not None and record.python == str(python) else None


def keep(python: Path, task: Task) -> Record:
    """Keep the outcome of a finished self-test. A disk that cannot be written to only means another test later."""
    result = task.result or {}
    passed = task.state == "done" and bool(result)
    detail = _describe(result) if passed else task.error.message if task.error else "The engine returned no result."
    device, rate = (str(result.get("device", "")), result.get("frames_per_second")) if passed else ("", 0.0)
    record = Record(str(python), passed, detail, device, float(rate) if isinstance(rate, int | float) else 0.0)
    with contextlib.suppress(OSError):
        write_json(_path(), asdict(record))
    return record


def _path() -> Path:
    return locations.data_folder() / "self-test.json"


def _describe(result: dict[str, object]) -> str:
    """The engine's figures in one line."""
    kind = str(result.get("device"))
    device = f"{DEVICE_NAMES.get(kind, kind)} ({result.get('device_name')})"
    memory = f"{result.get('device_memory_mb') or result.get('memory_mb')} MiB"
    return (
        f"{result.get('frames_per_second')} frames per second on {device}, {result.get('precision')}, {memory}, "
        f"torch {result.get('torch')}."
    )
