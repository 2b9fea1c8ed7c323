# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of cases, `../shared/cases/README.md`, each row as a test: `python3 build.py test tests/cases`.

What the tests need is that of the rooms' own tests. They run in Blender, and skip where the cases are not.
"""

import importlib.util

if importlib.util.find_spec("bpy"):
    from ..blender.conftest import *  # noqa: F403  it loads the extension
    from ..blender.conftest import pytest_unconfigure  # noqa: F401
    from ..blender.retarget.conftest import motion, person, rest  # noqa: F401
    from ..system.conftest import engine_python, run_command, start_command  # noqa: F401
else:
    collect_ignore_glob = ["test_*.py"]
