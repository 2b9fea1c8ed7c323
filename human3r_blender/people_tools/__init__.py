# SPDX-License-Identifier: GPL-3.0-or-later
"""People by hand: merge, split, swap, fill, rename, hide, delete. `editing.py` is where to begin."""

import bpy

from . import operators, panel

CLASSES = (*operators.CLASSES, *panel.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.human3r_people = bpy.props.PointerProperty(type=operators.Human3RPeople)


def unregister() -> None:
    del bpy.types.Scene.human3r_people
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
