# SPDX-License-Identifier: GPL-3.0-or-later
"""The take that is exported, and the command that does it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import HANG_S

from . import takes

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> takes.Filmed:
    return takes.write(tmp_path_factory.mktemp("filmed"))


Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture(scope="session")
def export() -> Run:
    """Run the command; returns exit code, its events, and what it said."""

    def run(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
        command = [sys.executable, "-m", "engine", "export", *map(str, arguments), "--json"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=HANG_S, stdin=subprocess.DEVNULL
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    return run
