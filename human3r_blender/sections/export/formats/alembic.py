# SPDX-License-Identifier: GPL-3.0-or-later
"""Alembic: the moving surface, and for each joint a transform to follow, because the format knows no skeletons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy

from ..backdrops import PLAIN
from ..file_format import Format, Request
from ..motion import PersonMotion
from ..staging import add_locators, staged
from ..writing import missing_exporter, run_exporter


def check() -> None:
    """Raises UserError (``exporter-missing``) where this Blender was built without Alembic."""
    if not bpy.app.build_options.alembic:
        raise missing_exporter("Alembic", "use Blender from blender.org")


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write people, and their joints as empties. Raises UserError (see `run_exporter`)."""
    with staged(
        request.clip_in(path),
        people,
        request.when.rate,
        camera=request.camera,
        scenery=(request.backdrops, PLAIN),
        style=request.style,
    ) as stage:
        add_locators(stage)
        run_exporter("Alembic", lambda: bpy.ops.wm.alembic_export(
            filepath=str(path), selected=True, start=stage.scene.frame_start, end=stage.scene.frame_end, xsamples=1,
            gsamples=1, global_scale=1.0, evaluation_mode="RENDER", as_background_job=False,
        ), path)  # fmt: skip


FORMAT = Format(
    "abc",
    4,
    "Alembic",
    "The animated mesh, vertex by vertex, and an empty at each joint",
    write,
    check,
    picture_beside=True,
)
