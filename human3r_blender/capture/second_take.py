# SPDX-License-Identifier: GPL-3.0-or-later
"""A take for a scene that has one already: beside it, in its place, or in a new scene. In a window one is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty

from ...engine.contract.errors import UserError
from ..blender import tags, turns
from ..blender.text import tr
from ..scene import take_places, takes
from .session import Session

BESIDE, REPLACE, NEW_SCENE = "BESIDE", "REPLACE", "NEW_SCENE"
PLACEMENTS = (
    (BESIDE, "Beside", "Keep what is there: both takes are in this scene, at its frame rate"),
    (REPLACE, "Replace", "Remove the takes that this scene has; their files stay on the disk"),
    (NEW_SCENE, "New Scene", "Put it into a new scene with the settings of this one"),
)

Start = Callable[[bpy.types.Scene, set[str]], Session]
"""Starts a run for a scene, in place of the takes with these ids. Raises UserError."""


def placement_property() -> Any:
    """For operators: where the take goes in a scene that has one. Scripts that do not say get it beside, as ever."""
    return EnumProperty(
        name="Second Take",
        items=PLACEMENTS,
        default=BESIDE,
        options={"SKIP_SAVE"},
        description="Where the take goes in a scene that has one already",
    )


def ask(operator: bpy.types.Operator, context: bpy.types.Context, path: str) -> set[str]:
    """Ask where the take goes, if there is one already and nobody has said; `path` is the take's or the footage's.

    What operators return from `invoke`.
    """
    if not _lasting(context.scene, path) or operator.properties.is_property_set("placement"):
        return operator.execute(context)
    operator.placement = suggested(context.scene, path)
    return context.window_manager.invoke_props_dialog(operator, title=tr("This scene has a take already"))


def _lasting(scene: bpy.types.Scene, source: str) -> list[bpy.types.Object]:
    """The takes of a scene but for quick looks at some footage, which make way for a capture of it without a word."""
    roots = takes.roots_in(scene)
    return [root for root in roots if not (takes.is_preview(root) and tags.text(root, tags.SOURCE) == source)]


def suggested(scene: bpy.types.Scene, path: str) -> str:
    """To replace what came from the same file, and else to keep both."""
    known = (place(root) for root in takes.roots_in(scene) for place in (take_places.take_file, take_places.footage))
    return REPLACE if Path(path) in known else BESIDE


def draw_choice(layout: bpy.types.UILayout, operator: bpy.types.Operator, context: bpy.types.Context) -> None:
    """The choice, where there is one."""
    if takes.roots_in(context.scene):
        layout.row(align=True).prop(operator, "placement", expand=True)


def begin(placement: str, context: bpy.types.Context, name: str, start: Start) -> Session:
    """Start a run where it is to go; a new scene gets a name. Raises UserError, and then all is as it was."""
    before = context.scene
    if placement != NEW_SCENE or not takes.roots_in(before):
        return start(before, takes.ids_in(before) if placement == REPLACE else set())
    window = context.window or context.window_manager.windows[0]
    made = _new_scene(window, name)
    try:
        return start(made, set())
    except UserError:
        window.scene = before
        bpy.data.scenes.remove(made)
        raise


def _new_scene(window: bpy.types.Window, name: str) -> bpy.types.Scene:
    """An empty scene with the settings of the one in a window, which it then shows."""
    with turns.operators_allowed(), bpy.context.temp_override(window=window):
        bpy.ops.scene.new(type="EMPTY")
    window.scene.name = name
    return window.scene
