# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB (binary glTF): metres and y up by the format's own rules, one animation with all people in it."""

from __future__ import annotations

from pathlib import Path

import bpy

from .staging import Stage
from .writing import missing_exporter, run_exporter


def check() -> None:
    """Raises UserError (``exporter-missing``) where Blender's add-on for GLB is switched off."""
    if not hasattr(bpy.types, "EXPORT_SCENE_OT_gltf"):
        raise missing_exporter("GLB", "switch on the add-on glTF 2.0 format in the preferences, under Add-ons")


def write(stage: Stage, path: Path) -> None:
    """Write a stage. Raises UserError (see `run_exporter`)."""
    run_exporter("GLB", lambda: bpy.ops.export_scene.gltf(
        filepath=str(path), export_format="GLB", use_selection=True, use_active_scene=True, export_yup=True,
        export_animations=True, export_animation_mode="SCENE", export_anim_scene_split_object=False,
        export_force_sampling=True, export_frame_step=1, export_frame_range=True, export_optimize_animation_size=False,
        export_skins=True, export_def_bones=False, export_leaf_bone=False, export_rest_position_armature=True,
        export_morph=True, export_morph_normal=False, export_morph_animation=True, export_cameras=True,
        export_extras=True,
    ), path)  # fmt: skip
