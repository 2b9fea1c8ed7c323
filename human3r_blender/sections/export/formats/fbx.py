# SPDX-License-Identifier: GPL-3.0-or-later
"""FBX, upright and in scale for Unity and Unreal.

A staged armature stands in Blender's z-up scene by a quarter turn of its object, because its own axes are y up, as
FBX's are. The exporter's change of axes undoes exactly that turn: the file's nodes are unrotated and unscaled, and the
rest pose faces +z, without the exporter's experimental "apply transform". Units are where the targets differ:

* Unity and Blender: numbers in metres, and a file that says so (`UnitScaleFactor` 100);
* Unreal: numbers in centimetres, and a file that says so (`UnitScaleFactor` 1), because Unreal's own unit is the
  centimetre, and a scale on its root bone is a nuisance for physics and retargeting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy

from ..backdrops import PLAIN
from ..file_format import Format, Request
from ..motion import PersonMotion
from ..staged_keys import REST_FRAME, Space
from ..staging import staged
from ..writing import missing_exporter, run_exporter

UNREAL_ARMATURE = "Armature"
"""Unreal takes the armature's object for a bone above the skeleton, unless it is called this."""


def check() -> None:
    """Raises UserError (``exporter-missing``) where Blender's add-on for FBX is switched off."""
    if not hasattr(bpy.types, "EXPORT_SCENE_OT_fbx"):
        raise missing_exporter("FBX", "turn on the add-on FBX format in the preferences, under Add-ons")


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write people. Raises UserError (see `run_exporter`)."""
    for_unreal = request.target == "unreal"
    name = UNREAL_ARMATURE if for_unreal else ""
    scenery = () if for_unreal else request.backdrops  # Unreal would take its mesh for a part of the skeleton's
    # readers bind by name: two skeletons with the same bones move each other, or become one
    style = replace(request.style, with_names=len(people) > 1)
    with staged(
        request.clip_in(path),
        people,
        request.when.rate,
        Space(100.0 if for_unreal else 1.0),
        request.camera,
        name,
        (scenery, PLAIN),
        style,
    ) as stage:
        stage.scene.frame_set(REST_FRAME)  # the nodes' own places are those of the moment: engines take them for rest
        run_exporter("FBX", lambda: bpy.ops.export_scene.fbx(
            filepath=str(path), use_selection=True, object_types={"ARMATURE", "MESH", "CAMERA"},
            apply_unit_scale=True, apply_scale_options="FBX_SCALE_NONE" if for_unreal else "FBX_SCALE_ALL",
            axis_forward="-Z", axis_up="Y", bake_space_transform=False,
            # Modifiers would drop the shape keys; the armature's is left to the skin.
            use_mesh_modifiers=False, mesh_smooth_type="FACE", use_custom_props=True,
            add_leaf_bones=False, primary_bone_axis="Y", secondary_bone_axis="X", use_armature_deform_only=False,
            bake_anim=True, bake_anim_use_all_bones=True, bake_anim_use_nla_strips=False,
            bake_anim_use_all_actions=False, bake_anim_force_startend_keying=True, bake_anim_step=1.0,
            bake_anim_simplify_factor=0.0, path_mode="COPY" if scenery else "STRIP", embed_textures=bool(scenery),
        ), path)  # fmt: skip


FORMAT = Format(
    "fbx",
    0,
    "FBX",
    "Skeletons, bodies with shape keys and animation, for game engines and other 3D programs",
    write,
    check,
    one_person_for=("unreal",),  # which takes one skeleton a file
    binds_by_name=True,
)
