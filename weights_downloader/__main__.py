# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m weights_downloader list|get|verify|remove|import``, in the extension's folder; `command` says how."""

from __future__ import annotations

import os
import sys

# The engine is the one beside this package, whatever else is called so in the current folder.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # noqa: PTH120

from engine import import_path  # noqa: F401 - before any other import

# isort: split
from engine.contract import logs
from engine.contract.exit_codes import CANCELLED
from engine.standard_streams import claim_stdout

from .command import main

if __name__ == "__main__":
    stdout = claim_stdout()
    logs.set_up()
    try:
        exit_code = main(sys.argv[1:], stdout)
    except KeyboardInterrupt:  # before or after the work
        exit_code = CANCELLED
    # All that matters is written and flushed, and libraries may have threads that would be waited for.
    os._exit(exit_code)
