# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats in which people leave Blender, a file each: what lies here is offered, checked and written.

A format's file says at its end what it is: ``FORMAT = Format(...)`` (`file_format.py`).
"""

from __future__ import annotations

import importlib
import pkgutil

from ..file_format import Format


def _collected() -> dict[str, Format]:
    found = [importlib.import_module(f"{__name__}.{item.name}").FORMAT for item in pkgutil.iter_modules(__path__)]
    return {item.name: item for item in sorted(found, key=lambda item: item.number)}


FORMATS = _collected()
"""The formats by their names, in the order in which they are offered."""
