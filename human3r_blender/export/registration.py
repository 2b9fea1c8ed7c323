# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender gets to know of exports, and forgets again."""

import bpy

from . import operators, panel, properties


def register() -> None:
    properties.register()
    for cls in operators.CLASSES:
        bpy.utils.register_class(cls)
    panel.register()


def unregister() -> None:
    panel.unregister()
    for cls in reversed(operators.CLASSES):
        bpy.utils.unregister_class(cls)
    properties.unregister()
