# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m weights_downloader list|get|verify|remove|import``, in the extension's folder; `command` says how."""

from __future__ import annotations

import os
import sys

from engine.standard_streams import claim_stdout

from .command import CANCELLED, main

if __name__ == "__main__":
    stdout = claim_stdout()
    try:
        exit_code = main(sys.argv[1:], stdout)
    except KeyboardInterrupt:  # before or after the work
        exit_code = CANCELLED
    # All that matters is written and flushed, and libraries may have threads that would be waited for.
    os._exit(exit_code)
