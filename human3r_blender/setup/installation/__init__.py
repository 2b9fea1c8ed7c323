# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's Python environment: installed, repaired, updated and removed by uv, from lock files with hashes.

``status(data_folder)`` says what there is, ``plan(data_folder, ...)`` what would be done, ``start(plan, ...)`` does it
in a thread. No ``bpy`` here: ``engine_command.py`` and the preferences bring Blender's answers (may we go online?).
"""

from .builds import CHOICES
from .installer import Event, Installation, close_all, start
from .planning import EngineStatus, InstallPlan, installed_python, plan, status

__all__ = [
    "CHOICES",
    "EngineStatus",
    "Event",
    "InstallPlan",
    "Installation",
    "close_all",
    "installed_python",
    "plan",
    "start",
    "status",
]
