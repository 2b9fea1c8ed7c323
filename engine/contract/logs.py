# SPDX-License-Identifier: GPL-3.0-or-later
"""One log for add-on, engine and downloader, on standard error. ``HUMAN3R_LOG=debug`` (or ``info``) makes it tell more.

The engine's standard error is what the add-on keeps and reports, so no line holds a path or a name of the user's.
"""

from __future__ import annotations

import logging
import os

VARIABLE = "HUMAN3R_LOG"
LEVELS = ("debug", "info", "warning", "error")

log = logging.getLogger("human3r")


def set_up() -> None:
    """Have the log go to standard error, from the level that the variable names. For programs, at their start."""
    wanted = os.environ.get(VARIABLE, "").lower()
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(module)s: %(message)s"))
    log.handlers[:] = [handler]  # a reloaded add-on does not say everything twice
    log.propagate = False
    log.setLevel(wanted.upper() if wanted in LEVELS else logging.WARNING)
    if wanted and wanted not in LEVELS:
        log.warning("%s must be one of %s", VARIABLE, ", ".join(LEVELS))
