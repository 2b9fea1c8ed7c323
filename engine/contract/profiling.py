# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time goes: ``HUMAN3R_PROFILE=/folder/name`` writes ``/folder/name.PART.pstats``, for Python's ``pstats``.

The parts are ``engine``, the last capture, and ``pump``, the add-on's work of the last run on Blender's main thread.
"""

from __future__ import annotations

import cProfile
import os

from .logs import log

VARIABLE = "HUMAN3R_PROFILE"


class Profiler:
    """Measures the blocks that are run ``with`` it, if the variable is set, and else does nothing."""

    def __init__(self, part: str) -> None:
        self._path = f"{os.environ[VARIABLE]}.{part}.pstats" if os.environ.get(VARIABLE) else ""
        self._profile = cProfile.Profile() if self._path else None

    def __enter__(self) -> Profiler:
        if self._profile is not None:
            self._profile.enable()
        return self

    def __exit__(self, *_: object) -> None:
        if self._profile is not None:
            self._profile.disable()

    def write(self) -> None:
        """Write what was measured so far, in place of an earlier file."""
        if self._profile is not None:
            try:
                self._profile.dump_stats(self._path)
            except OSError as error:
                log.warning("The profile could not be written: %s", error.strerror)
