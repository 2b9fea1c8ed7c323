# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections of the sidebar, a folder each: what lies here is registered, shown in order and found by the search.

A section's folder says in its ``__init__.py`` what users call it (``TITLE``) and where it stands (``ORDER``); its
modules say what Blender has to know of them (`blender/registration.py`).
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from ..blender import registration


def packages() -> list[ModuleType]:
    """The sections' packages, in the order in which the sidebar shows them."""
    found = [
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__) if found.ispkg
    ]
    return sorted(found, key=lambda package: package.ORDER)


def modules() -> list[ModuleType]:
    """All modules of all sections."""
    return [module for package in packages() for module in registration.modules_of(package)]
