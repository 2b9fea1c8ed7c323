# SPDX-License-Identifier: GPL-3.0-or-later
"""`python .../engine/farm/start.py farm-task ...` is `python -m engine farm-task ...`, for farms that start programs
without a shell and without variables: the engine is found by this file's own place.
"""

import os
import runpy
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # noqa: PTH120
runpy.run_module("engine", run_name="__main__", alter_sys=True)
