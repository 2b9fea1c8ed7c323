# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB (binary glTF): metres and y up by the format's own rules, one animation with all people in it.

The scene that is exported has its y up already: the exporter would turn each armature by a quarter, and its first bone
back.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .....engine.contract.rotations import quaternion_conjugate, quaternion_multiply
from .....engine.motion.resampling import frame_times
from ..backdrops import UNLIT
from ..file_format import Format, Request
from ..motion import PersonMotion
from ..staged_keys import Space
from ..staging import staged
from ..writing import missing_exporter, run_exporter

_ONE_FRAME_A_SECOND = Fraction(1)
"""The rate of the scene that is exported: the seconds of the exporter's keys are then the numbers of their frames.

Blender's exporter multiplies by the base of a scene's rate where it should divide, which would put keys 0.2 % off at
23.976 frames per second and 12 % at 7.5.
"""

_HEADER = struct.Struct("<4s3I4s")
"""Of a GLB file and its first chunk: magic, version, the file's length, the chunk's length, ``JSON``."""
_CHUNK_HEADER = 8
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
"""Numbers of each kind of value that animations have."""


def check() -> None:
    """Raises UserError (``exporter-missing``) where Blender's add-on for GLB is switched off."""
    if not hasattr(bpy.types, "EXPORT_SCENE_OT_gltf"):
        raise missing_exporter("GLB", "turn on the add-on glTF 2.0 format in the preferences, under Add-ons")


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write people. Raises UserError (see `run_exporter`)."""
    with staged(
        request.clip_in(path),
        people,
        _ONE_FRAME_A_SECOND,
        Space(y_up=True),
        camera=request.camera,
        scenery=(request.backdrops, UNLIT),
        style=request.style,
    ):
        run_exporter("GLB", lambda: bpy.ops.export_scene.gltf(
            filepath=str(path), export_format="GLB", use_selection=True, use_active_scene=True, export_yup=False,
            export_animations=True, export_animation_mode="SCENE", export_anim_scene_split_object=False,
            export_force_sampling=True, export_frame_step=1, export_frame_range=True,
            export_optimize_animation_size=False, export_skins=True, export_def_bones=False, export_leaf_bone=False,
            export_rest_position_armature=True, export_morph=True, export_morph_normal=False,
            export_morph_animation=True, export_cameras=True, export_extras=True,
        ), path)  # fmt: skip
    _mend(path, request.when.rate)


def _mend(path: Path, rate: Fraction) -> None:
    """Put right what Blender's exporter leaves wrong in a file's animation."""
    data = path.read_bytes()
    magic, version, _, length, kind = _HEADER.unpack_from(data)
    file, binary = json.loads(data[_HEADER.size : _HEADER.size + length]), bytearray(data[_HEADER.size + length :])
    for animation in file.get("animations", ()):
        _put_keys_on_time(file, binary, animation, rate)
        _turn_cameras_back(file, binary, animation)
    text = json.dumps(file, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    header = _HEADER.pack(magic, version, _HEADER.size + len(text) + len(binary), len(text), kind)
    path.write_bytes(header + text + binary)


def _put_keys_on_time(file: dict[str, Any], binary: bytearray, animation: dict[str, Any], rate: Fraction) -> None:
    """Write the times of an animation's keys anew: frame / rate, each rounded once."""
    for index in {sampler["input"] for sampler in animation["samplers"]}:
        accessor, times = file["accessors"][index], _values(file, binary, index)
        frames = np.rint(times).astype(np.int64)
        times[:] = frame_times(int(frames.max()) + 1, rate)[frames]
        accessor["min"], accessor["max"] = [float(times.min())], [float(times.max())]


def _turn_cameras_back(file: dict[str, Any], binary: bytearray, animation: dict[str, Any]) -> None:
    """Without its turn to y up, the exporter still turns the keys of cameras; not their nodes, as at the first key."""
    for channel in animation["channels"]:
        node, path = file["nodes"][channel["target"]["node"]], channel["target"]["path"]
        if "camera" in node and path == "rotation":
            keys = _values(file, binary, animation["samplers"][channel["sampler"]]["output"]).reshape(-1, 4)
            turns = np.roll(keys, 1, axis=-1).astype(np.float64)
            right = np.roll(np.array(node.get("rotation", (0.0, 0.0, 0.0, 1.0))), 1)
            away = quaternion_multiply(quaternion_conjugate(turns[0]), right)
            keys[:] = np.roll(quaternion_multiply(turns, away), -1, axis=-1)


def _values(file: dict[str, Any], binary: bytearray, index: int) -> np.ndarray:
    """The numbers of an animation's accessor, flat and to be written to."""
    accessor = file["accessors"][index]
    view = file["bufferViews"][accessor["bufferView"]]
    start = _CHUNK_HEADER + view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    return np.frombuffer(binary, "<f4", accessor["count"] * _WIDTHS[accessor["type"]], start)


FORMAT = Format(
    "glb",
    1,
    "GLB",
    "Skeletons, bodies with shape keys and animation in one binary glTF file",
    write,
    check,
)
