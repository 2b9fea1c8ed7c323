# SPDX-License-Identifier: GPL-3.0-or-later
"""One row of alarm where the model in use is not made for footage of real people, before a run and after it."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...engine.contract.messages import TakeHeader
from ..blender.text import draw_text
from .properties import Human3RSettings

RECIPE = "Recipe weights are random: people will not be right."
SYNTHETIC = "The small model knows synthetic clips only: real people will not be right."


def is_built_in(settings: Human3RSettings) -> bool:
    """Whether the next capture runs the model that comes with the extension."""
    return settings.model_source in ("DEFAULT", "EMBEDDED") and settings.released_weights() is None


def before(settings: Human3RSettings) -> str:
    """What is wrong with the chosen model; empty for one that is made for real people."""
    if settings.model_source == "RECIPE":
        return RECIPE
    is_small = settings.model_source == "CHECKPOINT" and Path(settings.checkpoint).stem == "small"
    return SYNTHETIC if is_small else ""


def after(header: TakeHeader | None) -> str:
    """The same of the model that a take was made with."""
    model = header.model if header is not None else ""
    if "recipe" in model:
        return RECIPE
    return SYNTHETIC if "synthetic" in model else ""


def draw_before(layout: bpy.types.UILayout, settings: Human3RSettings, characters: int) -> None:
    """The alert on the chosen model, with the button that mends it."""
    if said := before(settings):
        _draw_alert(layout, said, characters)
        layout.operator("human3r.use_best_model", icon="CHECKMARK")


def draw_after(layout: bpy.types.UILayout, header: TakeHeader | None, characters: int) -> None:
    """The alert on a finished take."""
    if said := after(header):
        _draw_alert(layout, said, characters)


def _draw_alert(layout: bpy.types.UILayout, said: str, characters: int) -> None:
    column = layout.column(align=True)
    column.alert = True
    draw_text(column, said, characters, icon="ERROR")


class HUMAN3R_OT_use_best_model(bpy.types.Operator):
    """Run the best installed model instead: released weights, or the built-in model, which is made for real people"""

    bl_idname = "human3r.use_best_model"
    bl_label = "Use Best Model"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.human3r.model_source = "DEFAULT"
        return {"FINISHED"}


CLASSES = (HUMAN3R_OT_use_best_model,)
