# SPDX-License-Identifier: GPL-3.0-or-later
"""USD: skeletons (UsdSkel) with their animation and blend shapes, metres, z up, as the file itself says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from ..backdrops import EMISSIVE
from ..file_format import Format, Request
from ..motion import PersonMotion
from ..staging import safe_name, staged
from ..writing import missing_exporter, run_exporter


def check() -> None:
    """Raises UserError (``exporter-missing``) where this Blender was built without USD."""
    if not bpy.app.build_options.usd:
        raise missing_exporter("USD", "use Blender from blender.org")


def _pictures_beside() -> dict[str, Any]:
    """Leave pictures where they lie, beside the file: the option is called otherwise in 4.2."""
    if "export_textures_mode" in bpy.ops.wm.usd_export.get_rna_type().properties:
        return {"export_textures_mode": "KEEP"}
    return {"export_textures": False}


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write people. Raises UserError (see `run_exporter`)."""
    with staged(
        safe_name(path.stem), people, request.when.rate, camera=request.camera, scenery=(request.backdrops, EMISSIVE)
    ):
        run_exporter("USD", lambda: bpy.ops.wm.usd_export(
            filepath=str(path), selected_objects_only=True, export_animation=True, export_armatures=True,
            only_deform_bones=False, export_shapekeys=True, evaluation_mode="RENDER", export_materials=True,
            export_custom_properties=True, relative_paths=True, **_pictures_beside(),
        ), path)  # fmt: skip


FORMAT = Format(
    "usd",
    3,
    "USD",
    "Skeletons, bodies with shape keys and animation as UsdSkel",
    write,
    check,
    picture_beside=True,
)
