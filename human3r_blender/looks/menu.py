# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu Human3R in the 3D view's Object, Pose and Mesh menus: Blender's search (F3) finds what is in menus.

The menus fill themselves with the operators that are registered, so that none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy

PACKAGE = __package__.rpartition(".")[0]

SECTIONS = (
    ("HUMAN3R_MT_people", "People", ("people_tools",)),
    ("HUMAN3R_MT_clean_up", "Clean-up", ("cleanup",)),
    ("HUMAN3R_MT_ground", "Ground and Scale", ("ground_tools",)),
    ("HUMAN3R_MT_retarget", "Retarget", ("retarget",)),
    ("HUMAN3R_MT_export", "Export and Import", ("export",)),
    ("HUMAN3R_MT_display", "Display", ("looks",)),
    ("HUMAN3R_MT_setup", "Set-up", ("setup_operators", "settings_operators", "preferences")),
)
"""Class name and label of each submenu, and the modules or packages whose operators are in it. All other operators are
in the menu itself."""

HOSTS = ("VIEW3D_MT_object", "VIEW3D_MT_pose", "VIEW3D_MT_edit_mesh")


def operators() -> Iterator[type[bpy.types.Operator]]:
    """All operators of the add-on that are registered and that a search may show, in the order of their making."""
    waiting = [bpy.types.Operator]
    while waiting:
        cls = waiting.pop(0)
        waiting += cls.__subclasses__()
        if (cls.__module__.startswith(f"{PACKAGE}.") and cls.is_registered
                and "INTERNAL" not in getattr(cls, "bl_options", ())):
            yield cls


def operators_in(section: tuple[str, ...]) -> list[type[bpy.types.Operator]]:
    """Those out of some modules; for none, those that no section has."""
    sections = [section] if section else [places for _, _, places in SECTIONS]
    prefixes = tuple(f"{PACKAGE}.{place}" for places in sections for place in places)
    return [cls for cls in operators() if cls.__module__.startswith(prefixes) == bool(section)]


class HUMAN3R_MT_tools(bpy.types.Menu):
    """Everything that Human3R does."""

    bl_label = "Human3R"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.operator_context = "INVOKE_REGION_WIN"
        _draw_operators(self.layout, ())
        self.layout.separator()
        self.layout.menu("HUMAN3R_MT_presets")
        for name, _, section in SECTIONS:
            if operators_in(section):
                self.layout.menu(name)


def _submenu(name: str, label: str, section: tuple[str, ...]) -> type[bpy.types.Menu]:
    def draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
        self.layout.operator_context = "INVOKE_REGION_WIN"
        _draw_operators(self.layout, section)

    return type(name, (bpy.types.Menu,), {"bl_label": label, "draw": draw, "__doc__": f"Human3R: {label}."})


def _draw_operators(layout: bpy.types.UILayout, section: tuple[str, ...]) -> None:
    for cls in operators_in(section):
        layout.operator(cls.bl_idname)


def _draw_entry(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.menu(HUMAN3R_MT_tools.__name__)


CLASSES = (*(_submenu(*section) for section in SECTIONS), HUMAN3R_MT_tools)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for host in HOSTS:
        getattr(bpy.types, host).append(_draw_entry)


def unregister() -> None:
    for host in HOSTS:
        getattr(bpy.types, host).remove(_draw_entry)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
