# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which modules make what they have known to Blender, and take it back.

A module says at its end what Blender has to know of it, as far as it has such things:

* ``CLASSES``, in the order in which Blender must know them;
* ``SCENE_PROPERTIES``, by their names the property groups that every scene has;
* ``MENU_ENTRIES``, pairs of a menu's name and the function that draws an entry into it;
* ``HANDLERS``, pairs of a list of ``bpy.app.handlers`` and a function for it;
* ``switch_on`` and ``switch_off``, functions for what is none of these.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType

import bpy


def register(modules: Sequence[ModuleType]) -> None:
    """Make known what some modules have, in their order."""
    for module in modules:
        for cls in getattr(module, "CLASSES", ()):
            # An operator's docstring is its tooltip, which Blender shows with all line breaks and indentation.
            cls.__doc__ = cls.__doc__ and " ".join(cls.__doc__.split())
            bpy.utils.register_class(cls)
        for name, group in getattr(module, "SCENE_PROPERTIES", {}).items():
            setattr(bpy.types.Scene, name, bpy.props.PointerProperty(type=group))
        for menu, draw in getattr(module, "MENU_ENTRIES", ()):
            getattr(bpy.types, menu).append(draw)
        for name, function in getattr(module, "HANDLERS", ()):
            getattr(bpy.app.handlers, name).append(function)
        if hasattr(module, "switch_on"):
            module.switch_on()


def unregister(modules: Sequence[ModuleType]) -> None:
    """Take it all back, in the opposite order."""
    for module in reversed(modules):
        if hasattr(module, "switch_off"):
            module.switch_off()
        for name, function in getattr(module, "HANDLERS", ()):
            getattr(bpy.app.handlers, name).remove(function)
        for menu, draw in getattr(module, "MENU_ENTRIES", ()):
            getattr(bpy.types, menu).remove(draw)
        for name in getattr(module, "SCENE_PROPERTIES", {}):
            delattr(bpy.types.Scene, name)
        for cls in reversed(getattr(module, "CLASSES", ())):
            bpy.utils.unregister_class(cls)


def modules_of(package: ModuleType) -> list[ModuleType]:
    """All modules in a package's own folder, by name."""
    return [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
        if not found.ispkg
    ]
