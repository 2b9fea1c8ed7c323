# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Clean-up: less jitter, feet that stay, and the raw motion beside it to compare."""

import bpy

from . import operators, panel

CLASSES = (*operators.CLASSES, *panel.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.human3r_cleanup = bpy.props.PointerProperty(type=operators.Human3RCleanUp)


def unregister() -> None:
    del bpy.types.Scene.human3r_cleanup
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
