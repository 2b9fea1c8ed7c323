# SPDX-License-Identifier: GPL-3.0-or-later
"""USD: skeletons (UsdSkel) with their animation and blend shapes, metres, z up, as the file itself says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .....engine.contract.skeleton import JOINT_NAMES
from ..backdrops import EMISSIVE
from ..character_motion import CharacterMotion
from ..extents import extent
from ..file_format import Format, Request
from ..motion import PersonMotion
from ..staged_character import file_names
from ..staged_person import Style
from ..staging import Stage, staged
from ..usd_crate import Crate
from ..writing import missing_exporter, run_exporter

_ROOT = "/root"
"""What everything in a file stands under."""


def check() -> None:
    """Raises UserError (``exporter-missing``) where this Blender was built without USD."""
    if not bpy.app.build_options.usd:
        raise missing_exporter("USD", "use Blender from blender.org")


def _pictures_beside() -> dict[str, Any]:
    """Leave pictures where they lie, beside the file: the option is called otherwise in 4.2."""
    if "export_textures_mode" in bpy.ops.wm.usd_export.get_rna_type().properties:
        return {"export_textures_mode": "KEEP"}
    return {"export_textures": False}


def write(path: Path, people: Sequence[PersonMotion], request: Request, y_up: bool = False) -> None:
    """Write people, with z up or with y up. Raises UserError (see `run_exporter`)."""
    style = replace(request.style, as_identifiers=True)
    with staged(
        request.clip_in(path),
        people,
        request.when.rate,
        camera=request.camera,
        scenery=(request.backdrops, EMISSIVE),
        style=style,
    ) as stage:
        run_exporter("USD", lambda: bpy.ops.wm.usd_export(
            filepath=str(path), selected_objects_only=True, export_animation=True, export_armatures=True,
            only_deform_bones=False, export_shapekeys=True, evaluation_mode="RENDER", export_materials=True,
            export_custom_properties=True, relative_paths=True, root_prim_path=_ROOT, allow_unicode=True,
            convert_orientation=y_up, export_global_forward_selection="NEGATIVE_Z", export_global_up_selection="Y",
            **_pictures_beside(),
        ), path)  # fmt: skip
        _complete(path, people, stage, replace(request, style=style))


def _complete(path: Path, people: Sequence[PersonMotion], stage: Stage, request: Request) -> None:
    """What Blender's exporter leaves out, or rounds."""
    crate = Crate(path)
    for field in ("framesPerSecond", "timeCodesPerSecond"):
        crate.set_double("/", field, float(request.when.rate))
    for person, skeleton in zip(people, stage.armatures, strict=True):
        place = f"{_ROOT}/{skeleton.name}"
        crate.set_token(place, "typeName", "SkelRoot")  # which a skeleton without a body is not, and readers pass over
        crate.set_string(place, "displayName", stage.room.own_name(person.armature))
        crate.add_extent(place, _extent(person, skeleton, request.style))
    crate.save()


def _extent(person: PersonMotion | CharacterMotion, skeleton: bpy.types.Object, style: Style) -> np.ndarray:
    """As of `extents.extent`."""
    if isinstance(person, CharacterMotion):
        names = file_names(person, skeleton.name, style)
        growth = float(np.linalg.norm(person.motion[..., :3, :3], axis=-2).max())
        return extent(person.motion[..., :3, 3], [names[bone] for bone in person.bones], skeleton, growth)
    names = style.bone_names(skeleton.name)
    return extent(person.motion.joints(), [names[joint] for joint in JOINT_NAMES], skeleton)


FORMAT = Format(
    "usd",
    3,
    "USD",
    "Skeletons, bodies with shape keys and animation as UsdSkel",
    write,
    check,
    picture_beside=True,
)
