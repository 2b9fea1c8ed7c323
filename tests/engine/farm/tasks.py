# SPDX-License-Identifier: GPL-3.0-or-later
"""A farm's task as farms start it: a real child process."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from tests.engine.stream.engine_process import ENVIRONMENT, ROOT, engine_command
from tests.waiting import communicate

FRAMES = 50
SETTINGS = (
    "--model", "recipe:small", "--detection-threshold", "0.2", "--reset-interval", "20", "--voxel-size", "0.1",
    "--camera", "tracked",
)  # fmt: skip

_WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({names!r}))
from engine.__main__ import main
sys.exit(main())
"""


def start_task(*arguments: object, **how: Any) -> subprocess.Popen[bytes]:
    return _start(engine_command("farm-task", *arguments), **how)


def start_without(names: tuple[str, ...], *arguments: object) -> subprocess.Popen[bytes]:
    """A task on a worker that lacks these packages."""
    code = _WITHOUT.format(names=names)
    return _start([sys.executable, "-c", code, "farm-task", *map(str, arguments)])


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error at the end."""
    output, errors = communicate(process)
    return process.returncode, output.decode(), errors.decode()


def run_task(*arguments: object, **how: Any) -> tuple[int, str, str]:
    return ended(start_task(*arguments, **how))


def _start(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, **piped | how)
