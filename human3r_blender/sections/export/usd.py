# SPDX-License-Identifier: GPL-3.0-or-later
"""USD: skeletons (UsdSkel) with their animation and blend shapes, metres, z up, as the file itself says."""

from __future__ import annotations

from pathlib import Path

import bpy

from .staging import Stage
from .writing import missing_exporter, run_exporter


def check() -> None:
    """Raises UserError (``exporter-missing``) where this Blender was built without USD."""
    if not bpy.app.build_options.usd:
        raise missing_exporter("USD", "use Blender from blender.org, which has it")


def write(stage: Stage, path: Path) -> None:
    """Write a stage. Raises UserError (see `run_exporter`)."""
    run_exporter("USD", lambda: bpy.ops.wm.usd_export(
        filepath=str(path), selected_objects_only=True, export_animation=True, export_armatures=True,
        only_deform_bones=False, export_shapekeys=True, evaluation_mode="RENDER", export_materials=True,
        export_custom_properties=True,
    ), path)  # fmt: skip
