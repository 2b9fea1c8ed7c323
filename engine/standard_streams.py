# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard output for our messages alone; whatever a library prints, in Python or in C, and all that is said to the
person, goes to standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Any, BinaryIO

from .contract.errors import UserError
from .contract.exit_codes import FAILED
from .contract.terminal import answer, say

__all__ = ["answer", "claim_stdout", "say", "say_error"]


def claim_stdout() -> BinaryIO:
    """Take standard output away from everyone else and return it. Call before any library is loaded.

    Descriptor 1 becomes a second name of descriptor 2, so that even ``write(1, ...)`` in C cannot reach the stream.
    """
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stream


def say_error(error: UserError) -> int:
    """An error for the person. Returns the exit code."""
    say(f"error [{error.code}]: {error.message}\nremedy: {error.remedy}")
    return FAILED


def write_summary(stdout: BinaryIO, summary: dict[str, Any], started: float) -> None:
    """What `--json` prints: one line, with the seconds since `started` (of `time.monotonic`)."""
    line = json.dumps(summary | {"seconds": round(time.monotonic() - started, 3)})
    with contextlib.suppress(OSError):
        stdout.write(line.encode("utf-8") + b"\n")
        stdout.flush()
