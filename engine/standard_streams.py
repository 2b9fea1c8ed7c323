# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard output for our messages alone: whatever a library prints, in Python or in C, goes to standard error."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO


def claim_stdout() -> BinaryIO:
    """Take standard output away from everyone else and return it. Call before any library is loaded.

    Descriptor 1 becomes a second name of descriptor 2, so that even ``write(1, ...)`` in C cannot reach the stream.
    """
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stream
