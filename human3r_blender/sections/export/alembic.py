# SPDX-License-Identifier: GPL-3.0-or-later
"""Alembic: the moving surface, and for each joint a transform to follow, because the format knows no skeletons."""

from __future__ import annotations

from pathlib import Path

import bpy

from .staging import Stage, add_locators
from .writing import missing_exporter, run_exporter


def check() -> None:
    """Raises UserError (``exporter-missing``) where this Blender was built without Alembic."""
    if not bpy.app.build_options.alembic:
        raise missing_exporter("Alembic", "use Blender from blender.org, which has it")


def write(stage: Stage, path: Path) -> None:
    """Write a stage, and add joints to it. Raises UserError (see `run_exporter`)."""
    add_locators(stage)
    run_exporter("Alembic", lambda: bpy.ops.wm.alembic_export(
        filepath=str(path), selected=True, start=stage.scene.frame_start, end=stage.scene.frame_end, xsamples=1,
        gsamples=1, global_scale=1.0, evaluation_mode="RENDER", as_background_job=False,
    ), path)  # fmt: skip
