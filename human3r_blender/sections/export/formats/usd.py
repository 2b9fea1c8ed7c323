# SPDX-License-Identifier: GPL-3.0-or-later
"""USD: skeletons (UsdSkel) with their animation and blend shapes, metres, z up, as the file itself says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy

from ..file_format import Format, Request
from ..motion import PersonMotion
from ..staging import safe_name, staged
from ..writing import missing_exporter, run_exporter


def check() -> None:
    """Raises UserError (``exporter-missing``) where this Blender was built without USD."""
    if not bpy.app.build_options.usd:
        raise missing_exporter("USD", "use Blender from blender.org")


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write people. Raises UserError (see `run_exporter`)."""
    with staged(safe_name(path.stem), people, request.when.rate, camera=request.camera):
        run_exporter("USD", lambda: bpy.ops.wm.usd_export(
            filepath=str(path), selected_objects_only=True, export_animation=True, export_armatures=True,
            only_deform_bones=False, export_shapekeys=True, evaluation_mode="RENDER", export_materials=True,
            export_custom_properties=True,
        ), path)  # fmt: skip


FORMAT = Format("usd", 3, "USD", "Skeletons, bodies with shape keys and animation as UsdSkel", write, check)
