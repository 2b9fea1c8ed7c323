# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs whose output nobody reads any more."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.waiting import HANG_S


def run_unheard(command: Sequence[object], folder: Path, *closed: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose ``stdout``, ``stderr`` or both lead into a pipe that was closed at the other end."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        streams = {name: writer if name in closed else subprocess.PIPE for name in ("stdout", "stderr")}
        return subprocess.run(
            list(map(str, command)), cwd=folder, timeout=HANG_S, text=True, encoding="utf-8", **streams
        )
    finally:
        os.close(writer)
