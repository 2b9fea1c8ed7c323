# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender gets to know of retargeting, and forgets again."""

import bpy

from . import operators, panel, properties


def register() -> None:
    properties.register()
    for cls in (*operators.CLASSES, *panel.CLASSES):
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed((*operators.CLASSES, *panel.CLASSES)):
        bpy.utils.unregister_class(cls)
    properties.unregister()
