# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of a take become a Blender scene, in small slices of work: while the engine runs, or all at once."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import bpy

from ...engine.contract.body_choice import body_file, choose_body_of_take, warning_about_body
from ...engine.contract.body_model import BodyModel
from ...engine.contract.errors import UserError
from ...engine.contract.file_names import is_remote, name_alone
from ...engine.contract.messages import Backdrop, CameraSummary, FinalFrame, Frame, Message, ScenePoints, TakeHeader
from ...engine.contract.person_names import checked_name
from ...engine.contract.settings import CaptureSettings
from ...engine.contract.soundness import Sieve
from ...engine.contract.take import TakeReader
from ...engine.installed import locations
from ...engine.motion.clean_up import CleanUpSettings
from ..blender import tags, timing, turns
from ..person import blocks, body_mesh, pose_correctives, versions
from . import backdrop, camera, ground_alignment, point_cloud, scale
from .camera import CameraKeys
from .cloud_buffer import CloudBuffer
from .import_options import ImportOptions
from .people import Person
from .tracks import Track, Tracks

_SHARE = 1 / 50
"""New pictures are written once they are this part of those written: extending an F-curve copies the whole of it."""

_POINT_SIZE = 0.4
"""Radius of a scene point, in edges of the voxels that points are fused in: neighbours nearly touch."""

_PATIENCE_S = 0.001

Steps = Iterator[None]
"""Work in slices: whoever runs it may stop after each and go on later."""


class SceneBuilder:
    """Builds one take into one scene. Everything runs on Blender's main thread, in slices.

    `add` takes a message and returns at once; `work` does what there is to do until its budget is used; `finish` says
    that no more messages come. Between two calls of `work` the scene may be looked at, saved and changed: a person
    that the user deletes stays away, and deleting the root empty ends the building.

        builder = SceneBuilder(scene, header, ImportOptions())
        for message in messages:
            builder.add(message)
            builder.work(0.005)
        builder.finish()
        while builder.work(0.005):
            ...
    """

    def __init__(
        self,
        scene: bpy.types.Scene,
        header: TakeHeader,
        options: ImportOptions | None = None,
        take: str | Path | None = None,
        is_foreign: bool = False,
        is_live: bool = True,
    ) -> None:
        """Touches the scene only from `work` on; reads the body file on a thread of its own meanwhile. `take` is the
        file that the messages come from, if there is one.

        `is_foreign`: the take may be from elsewhere, so that paths in it are not opened on other computers. `is_live`:
        messages come as slowly as they are found out, so that what there is, smoothed, is worth seeing meanwhile.
        """
        self._sieve = Sieve()
        self.header = header = self._sieve.header(replace(header, settings=_own(header.settings, is_foreign)))
        self._take_file = "" if take is None else str(Path(take).absolute())
        self.options = options or ImportOptions()
        self._take_id = uuid.uuid4().hex
        self._name = Path(header.settings.source).stem or "Take"
        self._scene_name = scene.name
        self._rate = timing.rate_for(scene, header.frame_rate if self.options.set_scene_timing else None)
        self._first_frame = self._start(scene)
        self._body_path = self.options.body_path or choose_body_of_take(header, locations.body_path(), is_foreign)
        self._body = _start_reading(self._body_path) if self.options.import_people else None
        self._base_name = ""
        self._camera = CameraKeys(self._take_id, header.footage_size)
        self._tracks = Tracks(self.options.absence_s * self._rate, self.options.most_people)
        self._people: dict[int, Person] = {}
        self._cloud = CloudBuffer()
        self._backdrop: Backdrop | None = None
        self._ground = ground_alignment.GroundEvidence() if self.options.ground == "auto" else None
        self._finished, self._is_live = False, is_live
        self._points_made = False
        self._steps = self._run()

    @property
    def root(self) -> bpy.types.Object | None:
        """The empty which the whole take hangs from; None before the first `work` and after the user deleted it."""
        return tags.find(self._take_id, tags.ROOT, hint=self._name)

    @property
    def camera(self) -> bpy.types.Object | None:
        """The camera, once it was made and unless the user deleted it."""
        return self._camera.object()

    @property
    def latest_frame(self) -> float:
        """Scene frame of the newest picture taken in: where to put the playhead to see the people move."""
        return self._camera.frames[-1] if self._camera.frames else float(self._first_frame)

    @property
    def warning(self) -> str:
        """One sentence when the people have another body than the take was made with; empty else."""
        if self._body is None or not self._body.done() or self._body.exception():
            return ""
        return warning_about_body(self.header, self._body_path, self._body.result())

    @property
    def notes(self) -> list[str]:
        """What the user should know, a sentence each, once everything is built: what was left as the user has it."""
        own = (self._camera.note, *(person.note for person in self._people.values()), self._tracks.note)
        return [*self._sieve.notes, *(note for note in own if note)]

    @property
    def left_out(self) -> int:
        """How many people of the take were too many."""
        return self._tracks.left_out

    def add(self, message: Message) -> None:
        """Take one message in; cheap. Messages that are not part of a scene (status, point maps) are ignored."""
        sound = self._sieve.sound(message)
        if sound is not None:
            self._add(sound)

    def _add(self, message: Message) -> None:
        if isinstance(message, Frame):
            previous = self._camera.frames[-1] if self._camera.frames else None
            frame = timing.scene_frame(message.time_s, self._rate, previous, self._first_frame)
            self._camera.add(message, frame)
            if self.options.import_people:
                self._tracks.add(message, frame)
            if self._ground is not None:
                self._ground.add(message)
        elif isinstance(message, FinalFrame):
            self._camera.replace(message)
            self._tracks.replace(message)
            if self._ground is not None:
                self._ground.replace(message)
        elif isinstance(message, CameraSummary):
            if self._ground is not None:
                self._ground.conclude(message)
        elif isinstance(message, ScenePoints) and self.options.import_points:
            self._cloud.add(message)
        elif isinstance(message, Backdrop) and self.options.import_backdrop:
            self._backdrop = message

    def finish(self) -> None:
        """No more messages come: `work` will write what is left and do the final steps (constant shapes, tidy keys)."""
        if not self._finished:
            self._finished = True
            self._tracks.finish()

    def work(self, budget_s: float | None = None) -> bool:
        """Do queued work, slice by slice, until `budget_s` seconds are over; None: until nothing is left.

        Returns True while more is due. Raises UserError when the body file is unusable or the root was deleted.
        """
        if budget_s is None and self._body is not None:
            self._body.result()
        deadline = math.inf if budget_s is None else time.perf_counter() + budget_s
        for worked in self._steps:
            if not worked:
                if self._finished:
                    time.sleep(_PATIENCE_S)  # a thread reads the body or computes: it needs the interpreter too
                return self._finished
            if time.perf_counter() >= deadline:
                return True
        return False

    def _run(self) -> Iterator[bool]:
        """All work there ever is: yields True after each slice, and False while there is nothing to do."""
        yield from self._set_up()
        while True:
            # Asked before and not after: a body that becomes ready in between has people waiting for it.
            last_round = self._finished and self._body_is_ready()
            idle = True
            for steps in self._due():
                idle = False
                for _ in steps:
                    yield True
            if idle and last_round:
                break
            if idle:
                yield False
        for last_steps in self._conclusion():
            for _ in last_steps:
                yield True

    def _set_up(self) -> Iterator[bool]:
        scene, header = bpy.data.scenes[self._scene_name], self.header
        collection = bpy.data.collections.new(self._name)
        scene.collection.children.link(collection)
        root = bpy.data.objects.new(self._name, None)
        root.empty_display_size = 0.5
        collection.objects.link(root)
        tags.mark(root, self._take_id, tags.ROOT)
        root[tags.BODY], root[tags.SOURCE] = self._body_path, header.settings.source
        scale.note_capture(root, header.settings)
        if self._take_file:
            root[tags.TAKE_FILE] = self._take_file
        self._name = root.name
        if self.options.set_scene_timing:
            timing.set_scene_rate(scene, header.frame_rate)
            scene.render.resolution_x, scene.render.resolution_y = header.footage_size
            scene.render.resolution_percentage = 100
            scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0
        yield True
        if self.options.import_camera:
            made = camera.create(self._take_id, root, collection)
            if self.options.set_scene_timing or scene.camera is None:
                scene.camera = made
            if self.options.show_footage:
                camera.show_footage(made, header.settings.source, header.footage_size, self._first_frame)
            yield True

    def _start(self, scene: bpy.types.Scene) -> int:
        """Scene frame of the footage's first picture."""
        start_at, own = self.options.start_at, self.options.set_scene_timing
        return timing.FIRST_FRAME if start_at == "first" or (start_at == "auto" and own) else scene.frame_start

    def _due(self) -> Iterator[Steps]:
        """The pieces of work that are due now, each in steps."""
        if self._is_due(self._camera.pending, self._camera.written):
            yield self._write_camera()
        if self._cloud.is_due(self._finished):
            yield self._write_points()
        if self._backdrop is not None:
            yield self._make_backdrop()
        if self._ground is not None and self._body_is_ready():
            yield from self._level(self._ground)
        if not self._tracks.by_id or not self._body_is_ready():
            return
        if bpy.data.meshes.get(self._base_name) is None:
            yield self._build_base()
        if not (self._is_live or self._finished):
            return
        for track in list(self._tracks.by_id.values()):  # `add` may bring new people between two slices
            person = self._people.get(track.id)
            if person is None:
                yield self._create_person(track)
            elif self._is_due(person.pending, person.written) or person.has_visibility_to_write:
                yield person.write(self._body_model())

    def _is_due(self, pending: int, written: int) -> bool:
        return pending > 0 and (self._finished or (self._is_live and pending >= _SHARE * written))

    def _body_is_ready(self) -> bool:
        return self._body is None or self._body.done()

    def _body_model(self) -> BodyModel:
        assert self._body is not None
        return self._body.result()

    def _living_root(self) -> bpy.types.Object:
        root = self.root
        if root is None or not root.users_collection:
            raise UserError(
                "take-removed",
                "The root of the take, {name}, was deleted.",
                "Import the take again: File > Import > Human3R Take.",
                name=self._name,
            )
        return root

    def _write_camera(self) -> Steps:
        if self.options.set_scene_timing:
            scenes = self._living_root().users_scene
            if scenes:
                timing.set_range(scenes[0], self._camera.frames[0], self.latest_frame)
        self._camera.write()
        yield

    def _write_points(self) -> Steps:
        root, settings = self._living_root(), self.header.settings
        if not self._points_made and self._cloud.is_empty:
            self._cloud.take()
            return
        if not self._points_made:
            self._points_made = True
            radius = _POINT_SIZE * settings.voxel_size
            point_cloud.create(self._take_id, root, root.users_collection[0], radius, settings.point_confidence)
            yield
        yield from point_cloud.fill(self._find_points, *self._cloud.take())

    def _make_backdrop(self) -> Steps:
        root, arrived = self._living_root(), self._backdrop
        self._backdrop = None
        assert arrived is not None
        yield from backdrop.create(self._take_id, root, root.users_collection[0], arrived)

    def _level(self, ground: ground_alignment.GroundEvidence) -> Iterator[Steps]:
        """Ask for a new estimate when the take has grown, and set the take on one that has arrived."""
        if ground.is_due(self._finished):
            body = self._body_model() if self._body is not None else None
            ground.start(self._cloud.position, body, last=self._finished)
        found = ground.result()
        if found is not None:
            ground_alignment.apply(self._living_root(), found)
            yield iter([None])
        elif self._finished and ground.is_running:
            time.sleep(_PATIENCE_S)  # the last estimate is worth a moment, in slices
            yield iter([None])

    def _find_points(self) -> bpy.types.Object | None:
        return tags.find(self._take_id, tags.POINTS, hint=point_cloud.NAME)

    def _build_base(self) -> Steps:
        for name in body_mesh.build_base("Human3R body", self._body_model()):
            self._base_name = name
            yield

    def _create_person(self, track: Track) -> Steps:
        root = self._living_root()
        base = bpy.data.meshes.get(self._base_name)
        if base is not None:
            clean = self.options.clean
            live = versions.LiveSmoothing(clean, self._rate) if clean and not self._finished else None
            name = _name_of(self.header, track.id)
            person = self._people[track.id] = Person(self._take_id, track, name, live, self._finished)
            yield from person.create(root, root.users_collection[0], base, self._body_model())
            skeleton = person.armature()
            if skeleton is not None and track.id in self.header.hidden_people:
                blocks.set_hidden(skeleton, True)

    def _conclusion(self) -> Iterator[Iterator[object]]:
        """What needs the whole take, each piece in steps: constant shapes, clean motion, exact surfaces, tidy keys."""
        root = self.root
        if root is not None and self._camera.frames:
            root[tags.PICTURES], root[tags.ABSENCE] = self._camera.frames, self.options.absence_s
            root[tags.LAST_TRACK] = max(self._people, default=-1)
        yield self._camera.settle()  # first, because people are placed along its rays
        for person in self._people.values():
            yield person.settle(self._body_model())
            if self.options.clean:
                yield person.clean_up(CleanUpSettings(self.options.clean, refine=self.options.refine), self._rate)
            if self.options.pose_correctives:
                yield pose_correctives.bake_in_steps(person.armature, person.mesh, self._body_model())
        base = bpy.data.meshes.get(self._base_name)
        if base is not None:
            bpy.data.meshes.remove(base)


def _own(settings: CaptureSettings, is_foreign: bool) -> CaptureSettings:
    """The settings of a take without paths that lead to other computers, where it may be from elsewhere.

    Windows sends the user's login to the host that a path such as ``\\\\host\\share`` names.
    """
    if not is_foreign:
        return settings
    source, body = (name_alone(path) if is_remote(path) else path for path in (settings.source, settings.body))
    return replace(settings, source=source, body=body)


def _name_of(header: TakeHeader, track_id: int) -> str:
    """The name that somebody has given a person; empty where nobody has, or where it can be none."""
    try:
        return checked_name(dict(header.person_names).get(track_id, ""))
    except UserError:
        return ""


def _start_reading(body_path: str) -> Future[BodyModel]:
    """Read a body on a thread of its own: half a second that Blender's window would stand still for."""
    return turns.submit("human3r-body", BodyModel.load, body_file(body_path))


def import_take(
    path: str | Path, scene: bpy.types.Scene, options: ImportOptions | None = None
) -> tuple[SceneBuilder, str | None]:
    """Build a whole take file into a scene, at once. Each call makes a new root.

    Returns the finished builder and, for a take that was cut off or damaged, the sentence that says where (see
    `TakeReader.problem`). Raises UserError when the file is no take or the body file is unusable.
    """
    with TakeReader(path) as reader:
        builder = SceneBuilder(scene, reader.header, options, path, is_foreign=True, is_live=False)
        for message in reader:
            builder.add(message)
        builder.finish()
        builder.work()
        return builder, reader.problem
