# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time: the messages of a capture, or of a take being imported, become the scene bit by bit.

Everything here runs on Blender's main thread and is driven by :meth:`Session.pump_messages`: in a window by a timer
(``timer.py``), headless by a loop (``batch/jobs.py``). The engine writes each record to the take before it
sends it, so whatever happens to the scene nothing is lost: after an undo the scene is built again from the take; when
another file is opened or the scene deleted, the run ends and the take stays.
"""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import bpy

from ...engine.contract.errors import UserError
from ...engine.contract.logs import log
from ...engine.contract.message_records import PASSING
from ...engine.contract.messages import (
    CAMERA_MOTIONS,
    Failure,
    Frame,
    FrameImage,
    Message,
    Status,
    TakeEnd,
    TakeHeader,
)
from ...engine.contract.profiling import Profiler
from ...engine.contract.sentences import Sentence
from ...engine.contract.settings import CaptureSettings
from ...engine.contract.take import resume_path
from ..blender import busy, tags
from ..blender.progress import Progress
from ..scene import framing, takes
from ..scene.builder import SceneBuilder
from ..scene.import_options import MOST_PEOPLE, ImportOptions
from . import engine_process
from .engine_process import EngineProcess
from .run_facts import RunFacts
from .sources import EngineSource, Source, TakeSource

_current: Session | None = None
_kept_engine: EngineProcess | None = None


_NOBODY = (
    "Nobody was found in the footage. Try a lower Detection Threshold, and check that people are seen upright and at "
    "least a tenth as tall as the picture."
)


class Session(RunFacts):
    """A run from its first message to its last; ``progress``, ``error`` and ``notes`` are what the panel shows."""

    def __init__(
        self,
        scene: bpy.types.Scene,
        options: ImportOptions,
        source: Source,
        is_preview: bool = False,
        replaces: Collection[str] = (),
    ) -> None:
        """`is_preview`: a quick look, which the next capture of the same footage replaces. `replaces`: ids of takes
        that make way for this one in the scene, once something of it has arrived.
        """
        super().__init__()
        self.progress = Progress()
        self.error: UserError | None = None
        self.notes: list[str] = []
        """What the person should know about a run that did not fail, such as why a take ended early."""
        self.log: list[str] = []
        """The engine's last printed lines, for the error report."""
        self.builder: SceneBuilder | None = None
        self.is_canceling = False
        self.is_preview = is_preview
        self.take = source.take
        self._scene_uid = scene.session_uid
        self._options = options
        self._source = source
        self._replaces = frozenset(replaces)
        self._replay: TakeSource | None = None
        self._records = 0
        self._take_ids: set[str] = set()
        """Under which ids this run has built; more than one after an undo."""
        self._ending = ""
        """How the messages ended (``complete``, ...); empty while more are to come."""
        self._builds = True
        """False once the scene was given up."""
        self._has_work = False
        self._must_rebuild = False
        self._profiler = Profiler("pump")

    @property
    def is_active(self) -> bool:
        return not self.progress.is_over

    @property
    def is_rebuilding(self) -> bool:
        """Whether an undo took away what was built, and it is being built again."""
        return self._must_rebuild or self._replay is not None

    @property
    def note(self) -> str:
        """All notes in one line."""
        return " ".join(self.notes)

    @property
    def may_ask_for_all(self) -> bool:
        """Whether the run is over and people of its take were too many, so that the user is asked."""
        return not self.is_active and self.builder is not None and self.builder.left_out > 0

    def again_with_all(self) -> Session:
        """A run that imports the take once more, everybody in it, in place of what this one has built.

        Raises :class:`UserError` (``take-unreadable``), and then leaves all as it is.
        """
        options = replace(self._options, most_people=min(self.people_count, MOST_PEOPLE))
        again = Session(self.scene, options, TakeSource(Path(self.take)))
        takes.remove(self._take_ids)
        return again

    @property
    def scene(self) -> bpy.types.Scene | None:
        """The scene that is being built, or None when it was deleted. Looked up anew: undo replaces data-blocks."""
        return next((scene for scene in bpy.data.scenes if scene.session_uid == self._scene_uid), None)

    def pump_messages(self, budget_s: float, wait_s: float = 0.0) -> bool:
        """Do up to ``budget_s`` seconds of work; True while the run is active.

        When nothing has arrived, wait up to ``wait_s`` for it (for loops without a window).
        """
        try:
            if self.is_active:
                with self._profiler:
                    self._pump(budget_s, wait_s)
        except UserError as error:
            self._fail(error)
        except ReferenceError:
            self._fail(
                UserError(
                    "scene-changed",
                    "Part of what was being built was deleted.",
                    self._import_remedy(),
                )
            )
            self._end("failed")
        except Exception as error:  # a fault of ours must reach the person, and must not leave the engine running
            self._fail(
                UserError(
                    "internal-error",
                    "Building the scene failed: {name}: {error}.",
                    "Copy the error report and file an issue. The take is kept: File > Import > Human3R Take, {take}.",
                    take=self.take,
                    name=type(error).__name__,
                    error=error,
                )
            )
            self._end("failed")
            log.exception("Building the scene failed")
            self.log += traceback.format_exc().splitlines()
        return self.is_active

    def cancel(self, build: bool = True) -> None:
        """Ask for the end; the take stays. What has arrived is still built, unless nobody will keep the scene."""
        if self.is_active:
            self.is_canceling, self.progress.text = True, "Canceling"
            self._source.cancel()
            if not build:
                self._builds, self.builder, self._has_work = False, None, False

    def stop(self) -> None:
        """End the run at once, without touching the scene: Blender is about to replace or leave it."""
        if self.is_active:
            self._source.cancel()
            self.notes = [Sentence("The capture or import was stopped."), self._import_remedy()]
            self._end("cancelled")

    def leave_scene(self) -> None:
        """Undo or redo comes: take away what was built, and build it again with the next pump.

        What a timer makes is in no undo step, and Blender's undo keeps data-blocks that did not change between two
        steps, such as the scene's collection: without this it would go on listing objects that undo has freed.
        """
        if self.is_active and self.builder is not None:
            takes.remove(self._take_ids)
            for scene in bpy.data.scenes:  # dependency graphs live through an undo, with what they point to
                for view_layer in scene.view_layers:
                    view_layer.update()
            self.builder, self._has_work, self._must_rebuild = None, False, True

    def _pump(self, budget_s: float, wait_s: float) -> None:
        """Take in what has arrived, for half of the time at most; build for the rest of it."""
        started = time.perf_counter()
        if self.scene is None:
            self._fail(UserError("scene-deleted", "The scene that was being built was deleted.", self._import_remedy()))
            self._end("failed")
            return
        if self._must_rebuild:
            self._build_again()
        wait_s = 0.0 if self._has_work else wait_s
        while not self._is_told_all and time.perf_counter() - started < budget_s / 2:
            message = self._receive(wait_s)
            if message is None:
                break
            self._handle(message)
            wait_s = 0.0
        if self.builder is not None:
            if self._is_told_all:
                self.builder.finish()
            self._has_work = self.builder.work(budget_s - (time.perf_counter() - started))
            if self.builder.root is not None:
                self._take_ids.add(self.builder.root[tags.TAKE])
                framing.follow(self.builder.root)
                if self.is_preview:
                    takes.mark_preview(self.builder.root)
        if self._is_told_all and not self._has_work:
            self._end(self._ending if self._builds or self.error else "cancelled")

    def _build_again(self) -> None:
        """Begin again from the take, up to where the messages are."""
        takes.remove(self._take_ids)  # undo may have brought some of it back
        self._must_rebuild = False
        self.progress.frames_done = 0
        self._replay = TakeSource(self.take, limit=self._records)

    @property
    def _is_told_all(self) -> bool:
        """Whether the builder was given every message there will be."""
        return bool(self._ending) and self._replay is None

    def _receive(self, wait_s: float) -> Message | None:
        if self._replay is not None:
            message = self._replay.receive()
            if message is not None and not isinstance(message, TakeEnd):
                return message
            self._replay.close()
            self._replay = None
            return Status.of(self.progress.phase, self.progress.text)
        message = self._source.receive(wait_s)
        self._records += message is not None and not isinstance(message, PASSING)
        return message

    def _handle(self, message: Message) -> None:
        if isinstance(message, Failure):
            raise message.as_error()
        if isinstance(message, Status):
            self.progress.tell(message.phase, message.sentence, message.share)
        elif isinstance(message, TakeEnd):
            self._ending, self.notes = message.status, [message.note] if message.note else []
            self.progress.phase = "finishing"
        elif isinstance(message, TakeHeader):
            self.learn(message)
            self.progress.frames_total = message.frame_count
            self.progress.phase = "running"
            self.builder = self._new_builder(message) if self._builds else None
        else:
            if isinstance(message, Frame):
                self.progress.frame_arrived(time.monotonic() if self._replay is None else None)
            self.learn(message)
            if self.builder is not None and not isinstance(message, FrameImage):
                self.builder.add(message)

    def _new_builder(self, header: TakeHeader) -> SceneBuilder:
        if self._replaces and self.scene is not None:  # each time, for an undo may have brought them back
            takes.remove_from(self.scene, self._replaces)
        is_import = isinstance(self._source, TakeSource)
        if not is_import:
            takes.remove_previews(self.scene, header.settings.source)
        return SceneBuilder(
            self.scene,
            header,
            self._options,
            self.take,
            is_foreign=is_import,
            is_live=not is_import,
            keeps_range=bool(self._replaces),
        )

    def _fail(self, error: UserError) -> None:
        """Remember the error; what has arrived before it is still built."""
        self.error = error
        self.progress.phase = "finishing"
        self._ending = "failed"

    def _end(self, phase: str) -> None:
        if self.builder is not None:
            self.notes += [note for note in (self.builder.warning, *self.builder.notes) if note]
        if phase == "complete" and not self._tracks:
            self.notes.append(Sentence(_NOBODY))
        self.progress.phase = phase
        if self.is_preview:
            with contextlib.suppress(OSError):  # nobody goes on with a quick look
                resume_path(self.take).unlink()
        self._source.close()
        if self._replay is not None:
            self._replay.close()
        self.log = self._source.log()
        self._profiler.write()
        code = f" ({self.error.code})" if self.error else ""
        log.info("the run ended: %s%s, %d records, %d people", phase, code, self._records, self.people_count)

    def _import_remedy(self) -> Sentence:
        return Sentence("The take is kept: File > Import > Human3R Take, {take}.", take=self.take)


def describe_camera(run: Session) -> Sentence | None:
    """How the camera of a run moves; None where nobody looked."""
    if run.motion not in CAMERA_MOTIONS:
        return None
    motion = Sentence(CAMERA_MOTIONS[run.motion])
    refined = run.camera is not None and run.camera.refined and run.motion != "still"
    return Sentence("{motion} (path refined)", motion=motion) if refined else motion


def current() -> Session | None:
    """The run in progress, or the last one."""
    return _current


def is_running() -> bool:
    """Whether a run is in progress."""
    return _current is not None and _current.is_active


busy.announce(busy.RUN, is_running)


def start_capture(
    scene: bpy.types.Scene,
    settings: CaptureSettings,
    options: ImportOptions,
    preferred_python: str = "",
    keep_engine: bool = False,
    resume: bool = False,
    is_preview: bool = False,
    replaces: Collection[str] = (),
) -> Session:
    """Start the engine on a video. ``keep_engine`` keeps its process, and the loaded model, for the next capture.
    ``resume`` goes on with the take of these settings, which was interrupted; ``is_preview`` and ``replaces`` as in
    :class:`Session`.

    Raises :class:`UserError`: ``busy``, ``no-engine``.
    """
    global _kept_engine
    _refuse_second_run()
    engine = _kept_engine
    if engine is None or not engine.is_alive:
        engine = engine_process.launch(preferred_python)
    _kept_engine = engine if keep_engine else None
    return _begin(Session(scene, options, EngineSource(engine, settings, keep_engine, resume), is_preview, replaces))


def start_import(scene: bpy.types.Scene, take: Path, options: ImportOptions, replaces: Collection[str] = ()) -> Session:
    """Start to import a take, in place of those with the ids ``replaces``.

    Raises :class:`UserError`: ``busy``, ``take-unreadable``, ``protocol-mismatch``.
    """
    _refuse_second_run()
    return _begin(Session(scene, options, TakeSource(take), replaces=replaces))


def import_all(run: Session) -> Session:
    """Begin to import everybody of a run's take in place of what it has built. Raises :class:`UserError`."""
    _refuse_second_run()
    return _begin(run.again_with_all())


def close_engine() -> None:
    """End the kept engine, if there is one."""
    global _kept_engine
    if _kept_engine is not None:
        _kept_engine.close()
        _kept_engine = None


def forget() -> None:
    """Stop the run in progress and forget it: the add-on is being switched off."""
    global _current
    if _current is not None:
        _current.stop()
        _current = None
    close_engine()


def _refuse_second_run() -> None:
    if is_running():
        raise UserError("busy", "A capture or import is already in progress.", "Wait for it to finish, or cancel it.")


def _begin(session: Session) -> Session:
    global _current
    _current = session
    framing.remember()
    log.info("a run begins")
    return session
