# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB (binary glTF): metres and y up by the format's own rules, one animation with all people in it."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np

from ....blender.timing import rate_for
from ..backdrops import UNLIT
from ..file_format import Format, Request
from ..motion import PersonMotion
from ..staging import safe_name, staged
from ..writing import missing_exporter, run_exporter

_HEADER = struct.Struct("<4s3I4s")
"""Of a GLB file and its first chunk: magic, version, the file's length, the chunk's length, ``JSON``."""
_CHUNK_HEADER = 8


def check() -> None:
    """Raises UserError (``exporter-missing``) where Blender's add-on for GLB is switched off."""
    if not hasattr(bpy.types, "EXPORT_SCENE_OT_gltf"):
        raise missing_exporter("GLB", "turn on the add-on glTF 2.0 format in the preferences, under Add-ons")


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write people. Raises UserError (see `run_exporter`)."""
    with staged(
        safe_name(path.stem), people, request.when.rate, camera=request.camera, scenery=(request.backdrops, UNLIT)
    ) as stage:
        run_exporter("GLB", lambda: bpy.ops.export_scene.gltf(
            filepath=str(path), export_format="GLB", use_selection=True, use_active_scene=True, export_yup=True,
            export_animations=True, export_animation_mode="SCENE", export_anim_scene_split_object=False,
            export_force_sampling=True, export_frame_step=1, export_frame_range=True,
            export_optimize_animation_size=False, export_skins=True, export_def_bones=False, export_leaf_bone=False,
            export_rest_position_armature=True, export_morph=True, export_morph_normal=False,
            export_morph_animation=True, export_cameras=True, export_extras=True,
        ), path)  # fmt: skip
        _put_keys_on_time(path, stage.scene.frame_end, rate_for(stage.scene, None))


def _put_keys_on_time(path: Path, last_frame: int, rate: float) -> None:
    """Write the times of an animation's keys anew: frame / rate.

    Blender's exporter multiplies by the base of the scene's rate where it should divide, which puts keys 0.2 % off at
    NTSC rates. Which frames they are is told by the last one, whatever a Blender makes of the rate.
    """
    data = path.read_bytes()
    magic, version, _, length, kind = _HEADER.unpack_from(data)
    file, binary = json.loads(data[_HEADER.size : _HEADER.size + length]), bytearray(data[_HEADER.size + length :])
    inputs = {sampler["input"] for animation in file.get("animations", ()) for sampler in animation["samplers"]}
    accessors = [file["accessors"][index] for index in inputs]
    end_s = max((accessor["max"][0] for accessor in accessors), default=0.0)
    if end_s == 0:
        return
    for accessor in accessors:
        start = file["bufferViews"][accessor["bufferView"]].get("byteOffset", 0) + accessor.get("byteOffset", 0)
        times = np.frombuffer(binary, "<f4", accessor["count"], _CHUNK_HEADER + start)
        times[:] = np.rint(times.astype(np.float64) * last_frame / end_s) / rate
        accessor["min"], accessor["max"] = [float(times.min())], [float(times.max())]
    text = json.dumps(file, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    header = _HEADER.pack(magic, version, _HEADER.size + len(text) + len(binary), len(text), kind)
    path.write_bytes(header + text + binary)


FORMAT = Format(
    "glb",
    1,
    "GLB",
    "Skeletons, bodies with shape keys and animation in one binary glTF file",
    write,
    check,
)
