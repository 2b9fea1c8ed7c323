# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu Human3R in the 3D view's Object, Pose and Mesh menus: Blender's search (F3) finds what is in menus.

The menus fill themselves with the operators that are registered, so that none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from ..setup import reloading
from . import packages

PACKAGE = __package__.rpartition(".")[0]

HOSTS = ("VIEW3D_MT_object", "VIEW3D_MT_pose", "VIEW3D_MT_edit_mesh")


def submenus() -> list[tuple[str, str, str]]:
    """Class name and label of each submenu, and the package whose operators are in it. All other operators are in the
    menu itself."""
    of_sections = [(package.__name__, package.TITLE) for package in packages()]
    return [
        (f"HUMAN3R_MT_{name.rpartition('.')[2]}", label, name)
        for name, label in (*of_sections, (f"{PACKAGE}.setup", "Setup"))
    ]


def operators() -> Iterator[type[bpy.types.Operator]]:
    """All operators of the add-on that are registered and that a search may show, in the order of their making."""
    waiting = [bpy.types.Operator]
    while waiting:
        cls = waiting.pop(0)
        waiting += cls.__subclasses__()
        if (
            cls.__module__.startswith(f"{PACKAGE}.")
            and cls.is_registered
            and "INTERNAL" not in getattr(cls, "bl_options", ())
        ):
            yield cls


def operators_in(package: str) -> list[type[bpy.types.Operator]]:
    """Those out of a package; for an empty name, those that no submenu has."""
    prefixes = tuple(f"{name}." for name in ([package] if package else [name for _, _, name in submenus()]))
    return [cls for cls in operators() if cls.__module__.startswith(prefixes) == bool(package)]


class HUMAN3R_MT_tools(bpy.types.Menu):
    """All tools of Human3R."""

    bl_label = "Human3R"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.operator_context = "INVOKE_REGION_WIN"
        _draw_operators(self.layout, "")
        self.layout.separator()
        self.layout.menu("HUMAN3R_MT_presets")
        for name, _, package in submenus():
            if operators_in(package):
                self.layout.menu(name)
        if reloading.is_developer(context):
            self.layout.separator()
            self.layout.operator("human3r.reload")


def _submenu(name: str, label: str, package: str) -> type[bpy.types.Menu]:
    def draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
        self.layout.operator_context = "INVOKE_REGION_WIN"
        _draw_operators(self.layout, package)

    return type(name, (bpy.types.Menu,), {"bl_label": label, "draw": draw, "__doc__": f"Human3R: {label}."})


def _draw_operators(layout: bpy.types.UILayout, package: str) -> None:
    for cls in operators_in(package):
        layout.operator(cls.bl_idname)


def _draw_entry(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.menu(HUMAN3R_MT_tools.__name__)


CLASSES = (*(_submenu(*submenu) for submenu in submenus()), HUMAN3R_MT_tools)
MENU_ENTRIES = tuple((host, _draw_entry) for host in HOSTS)
