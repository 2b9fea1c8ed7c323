# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of a take become a Blender scene, in small slices of work: while the engine runs, or all at once."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...engine.contract.body_model import BodyModel, default_body_path
from ...engine.contract.messages import Frame, Message, ScenePoints, TakeHeader
from ...engine.contract.take import TakeReader
from . import body_mesh, camera, people, point_cloud, tags, timing
from .tracks import Tracks

Steps = Iterator[None]
"""Work in slices: whoever runs it may stop after each `yield` and go on later."""


@dataclass(frozen=True)
class ImportOptions:
    """What of a take becomes part of the scene, and how."""

    body_path: str = ""
    """Body file in the SMPL-X format (.npz); empty for the bundled mannequin."""
    import_people: bool = True
    """Whether to make armatures and meshes of the people."""
    import_camera: bool = True
    """Whether to make the moving camera."""
    import_points: bool = True
    """Whether to make the points of the place."""
    show_footage: bool = True
    """Whether the camera shows the footage behind the scene, where its file is found."""
    set_scene_timing: bool = True
    """Whether the scene takes the footage's frame rate, range and picture size; otherwise the take is put into the
    scene's own time and plays at its true speed there."""
    pose_correctives: bool = False
    """Whether meshes get shape keys for the pose correctives: exact surfaces for more memory."""
    absence_s: float = 0.5
    """Seconds without a detection after which a person is hidden; shorter gaps are interpolated."""


class SceneBuilder:
    """Builds one take into one scene. Everything runs on Blender's main thread, in slices.

    `add` takes a message and returns at once; `work` does what there is to do until its budget is used; `finish` says
    that no more messages come. Between two calls of `work` the scene is whole and may be looked at, saved and changed:
    a person that the user deletes stays away, and deleting the root empty ends the building.

        builder = SceneBuilder(scene, header, ImportOptions())
        for message in messages:
            builder.add(message)
            builder.work(0.005)
        builder.finish()
        while builder.work(0.005):
            ...
    """

    def __init__(self, scene: bpy.types.Scene, header: TakeHeader, options: ImportOptions | None = None) -> None:
        """Raises UserError when the body file of the options cannot be used (later, from `work`)."""

    @property
    def root(self) -> bpy.types.Object | None:
        """The empty which the whole take hangs from; None before the first `work` and after the user deleted it."""

    @property
    def camera(self) -> bpy.types.Object | None:
        """The camera, once it was made and unless the user deleted it."""

    @property
    def latest_frame(self) -> float:
        """Scene frame of the newest keys: where to put the playhead to see the people move while the engine runs."""

    def add(self, message: Message) -> None:
        """Take one message in; cheap. Messages that are not part of a scene (status, point maps) are ignored."""

    def finish(self) -> None:
        """No more messages come: `work` will write what is left and do the final steps (constant shapes, tidy keys)."""

    def work(self, budget_s: float | None = None) -> bool:
        """Do queued work, slice by slice, until `budget_s` seconds are over; None: until nothing is left.

        Returns True while more is due. Raises UserError when the body file is unusable or the root was deleted.
        """
        return False


def import_take(
    path: str | Path, scene: bpy.types.Scene, options: ImportOptions | None = None
) -> tuple[SceneBuilder, str | None]:
    """Build a whole take file into a scene, at once. Each call makes a new root.

    Returns the finished builder and, for a take that was cut off or damaged, the sentence that says where (see
    `TakeReader.problem`). Raises UserError when the file is no take or the body file is unusable.
    """
    with TakeReader(path) as reader:
        builder = SceneBuilder(scene, reader.header, options)
        for message in reader:
            builder.add(message)
        builder.finish()
        builder.work()
        return builder, reader.problem
