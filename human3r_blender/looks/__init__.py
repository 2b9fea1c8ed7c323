# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Display, presets of settings, and the menu in which Blender's search finds everything."""

import bpy
from bpy.app.handlers import persistent

from . import camera_view, menu, name_tags, operators, panel, setting_presets

CLASSES = (*operators.CLASSES, *panel.CLASSES)


@persistent
def _forget_views_before_load(*_: object) -> None:
    camera_view.forget()


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.human3r_display = bpy.props.PointerProperty(type=operators.Human3RDisplay)
    setting_presets.register()
    menu.register()
    name_tags.register()
    bpy.app.handlers.load_pre.append(_forget_views_before_load)


def unregister() -> None:
    bpy.app.handlers.load_pre.remove(_forget_views_before_load)
    name_tags.unregister()
    menu.unregister()
    setting_presets.unregister()
    camera_view.forget()
    del bpy.types.Scene.human3r_display
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
