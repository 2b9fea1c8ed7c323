# SPDX-License-Identifier: GPL-3.0-or-later
"""The option --camera-file for what only Blender can read: cameras in FBX, USD and .blend files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy

from ...engine.contract.errors import UserError
from ...engine.contract.sentences import Sentence
from ..scene import camera_file

_FINE_RATE = 120
"""Frames a second that an FBX file is sampled with: a multiple of 24, 30 and 60, and near one of 25."""


def readable(path: str) -> str:
    """The absolute path of a camera file that the engine reads: the one given, or one that is written here; empty where
    none is given.

    The file that is open in Blender is lost. Raises UserError (``camera-file-unreadable``).
    """
    if not path:
        return ""
    source = Path(path).expanduser().absolute()
    opened = _READERS.get(source.suffix.lower())
    if opened is None:
        return str(source)
    if not source.is_file():
        raise _unusable(source, "there is no such file")
    try:
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        opened(str(source))
    except (RuntimeError, AttributeError) as error:  # of Blender's importers, or of a Blender without one
        raise _unusable(source, str(error).strip().partition("\n")[0]) from error
    scene = bpy.context.scene
    if source.suffix.lower() == ".fbx":
        _show_all_keys(scene)
    return str(camera_file.write(_camera(scene, source), scene, by_time=source.suffix.lower() == ".fbx"))


def _camera(scene: bpy.types.Scene, source: Path) -> bpy.types.Object:
    cameras = [item for item in scene.objects if item.type == "CAMERA"]
    if scene.camera is not None:
        return scene.camera
    if len(cameras) != 1:
        names = ", ".join(item.name for item in cameras)
        raise _unusable(
            source, Sentence("it has several cameras: {names}", names=names) if cameras else "it has no camera"
        )
    return cameras[0]


def _show_all_keys(scene: bpy.types.Scene) -> None:
    """Let the scene's range be that of the keys that came with a file."""
    ranges = [action.frame_range for action in bpy.data.actions]
    if ranges:
        scene.frame_start = round(min(first for first, _ in ranges))
        scene.frame_end = round(max(last for _, last in ranges))


def _open_fbx(path: str) -> None:
    """Keys of FBX have seconds, which come at the scene's frame rate: a fine one loses none."""
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = _FINE_RATE, 1.0
    bpy.ops.import_scene.fbx(filepath=path)


_READERS: dict[str, Callable[[str], object]] = {
    ".fbx": _open_fbx,
    ".blend": lambda path: bpy.ops.wm.open_mainfile(filepath=path, load_ui=False, use_scripts=False),
} | {
    suffix: lambda path: bpy.ops.wm.usd_import(filepath=path, set_frame_range=True)
    for suffix in (".usd", ".usda", ".usdc", ".usdz")
}


def _unusable(source: Path, reason: str | Sentence) -> UserError:
    return UserError(
        "camera-file-unreadable",
        "The camera file {path} cannot be used: {reason}.",
        "Give a file with one camera, or an .npz as the documentation on known facts says.",
        path=source,
        reason=reason if isinstance(reason, Sentence) else Sentence(reason.rstrip(".")),
    )
