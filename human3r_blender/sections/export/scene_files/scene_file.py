# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be exported besides people, one kind of file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy

from .....engine.contract.errors import UserError
from ....blender import tags
from ....scene.takes import root_of
from ..motion import Clock


@dataclass(frozen=True)
class Scenery:
    """What of a scene is exported."""

    scene: bpy.types.Scene
    root: bpy.types.Object | None
    """Of the take that is meant; None where there is none, or several of which none is."""
    when: Clock

    @classmethod
    def of(cls, context: bpy.types.Context, when: Clock) -> Scenery:
        """Of the context's scene."""
        return cls(context.scene, root_of(context), when)

    def camera(self) -> bpy.types.Object:
        """The scene's camera, else the take's. Raises UserError (``no-camera``)."""
        camera = self.scene.camera or (self.root and tags.find(self.root[tags.TAKE], tags.CAMERA))
        if camera is None:
            raise UserError(
                "no-camera",
                "The scene has no camera.",
                "Import the take again with Camera on, or set a scene camera.",
            )
        return camera

    def take_root(self) -> bpy.types.Object:
        """The root of the take that is meant. Raises UserError (``which-take``)."""
        if self.root is None:
            raise UserError(
                "which-take",
                "It is not clear which take to export.",
                "Import a take, or select something from one: its camera, a person or its points.",
            )
        return self.root


@dataclass(frozen=True)
class SceneFile:
    """One kind."""

    name: str
    """In settings and on the command line."""
    number: int
    """Its place among these, from 0 on. Saved .blend files hold it: it never changes and is never given again."""
    label: str
    description: str
    ending: str
    """What is added to the name of an export; without a dot it is a folder."""
    write: Callable[[Path, Scenery], None] | None
    """Writes it. Raises UserError. None for those that the engine writes."""
    check: Callable[[Scenery], None]
    """Finds out whether it can be written. Raises UserError."""

    @property
    def id(self) -> str:
        """Its name among Blender's."""
        return self.name.upper().replace("-", "_")

    def path(self, folder: Path, stem: str) -> Path:
        """Where it is written."""
        return folder / f"{stem}{self.ending}"
