# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs say to a terminal or a pipe, which whoever reads may have closed: the work goes on nevertheless.

A pipe whose other end is closed is a BrokenPipeError on most systems and any other OSError on Windows.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import BinaryIO

from .sentences import printable


def say(text: str) -> None:
    """A line for the person, on standard error."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            _point_nowhere(sys.stderr.fileno())


def answer(text: str, stream: BinaryIO | None = None) -> None:
    """The result of a command, for people or programs: a line in UTF-8, on standard output or another stream."""
    stream = stream or sys.stdout.buffer
    try:
        sys.stdout.flush()  # what was printed before comes before
        stream.write(text.encode("utf-8") + b"\n")
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            _point_nowhere(stream.fileno())


def _point_nowhere(descriptor: int) -> None:
    """What is left in a stream's buffer would fail once more when Python ends, with a traceback and another exit
    code.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
