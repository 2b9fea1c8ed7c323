# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera alone, in the formats of people that know cameras."""

from __future__ import annotations

from pathlib import Path

from ..file_format import Request
from ..formats import FORMATS
from .scene_file import SceneFile, Scenery


def _camera_file(kind: str, number: int, description: str) -> SceneFile:
    """The camera in one of `FORMATS`."""
    writer = FORMATS[kind]

    def write(path: Path, scenery: Scenery) -> None:
        camera = scenery.camera(), scenery.scene, scenery.when
        writer.write(path, (), Request(scenery.when, target="blender", camera=camera))

    def check(scenery: Scenery) -> None:
        writer.check()
        scenery.camera()

    label = f"Camera {writer.label}"
    return SceneFile(f"camera-{kind}", number, label, description, f"-camera.{kind}", write, check)


FILES = (
    _camera_file("fbx", 0, "The camera alone, for Maya, Cinema 4D, Unreal and others"),
    _camera_file("usd", 1, "The camera alone, for Houdini, Maya and others"),
    _camera_file("abc", 2, "The camera alone, with the focal length of the first frame"),
)
