# SPDX-License-Identifier: GPL-3.0-or-later
"""One capture from beginning to end: footage to take, with checkpoints, cancelling, and a readable end in any case."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from .camera_pass.clip import Clip
from .contract.body_choice import MANNEQUIN, body_file, choose_body
from .contract.body_model import BodyModel
from .contract.errors import UserError
from .contract.logs import log
from .contract.messages import PROTOCOL_VERSION, Frame, Message, ScenePoints, Status, TakeEnd, TakeHeader
from .contract.profiling import Profiler
from .contract.sentences import Sentence
from .contract.settings import CaptureSettings
from .contract.take import TakeReader, TakeWriter
from .frame_images import FrameImages
from .installed import locations
from .interruption import Interrupted, Interruption
from .model.memory import explained_memory_errors
from .model.weights import choose_device
from .models import resolved_name, resolved_precision
from .motion.refined_people import SeenTake, refined_people
from .pipeline import FramePipeline
from .resuming.resume_file import (
    Pacing,
    ResumePoint,
    check_same_model,
    load_resume_point,
    remove_resume_point,
    save_resume_point,
)
from .resuming.take_place import Claim, claimed
from .slices import PROGRESS_STEP, Result
from .supply import HereSupply, ModelShelf, Sink, Supply
from .video.footage import Footage
from .video.reading import PreparedFrame

GENERATOR = "Human3R for Blender, engine 0.1.0"


@dataclass(frozen=True)
class CaptureResult:
    """How a capture ended."""

    status: str
    """``complete`` or ``cancelled``."""
    frame_count: int
    """Frames in the take, those from before a resume included."""
    people_count: int
    """Different people."""
    point_count: int
    """Points of the place."""
    note: str
    """As in :class:`~.contract.messages.TakeEnd`."""


class _Capture:
    """A capture while it runs."""

    def __init__(
        self,
        settings: CaptureSettings,
        sink: Sink,
        interruption: Interruption,
        supply: Supply,
        resume: bool,
        place: Claim,
    ) -> None:
        self.settings, self.place = settings, place
        self.sink = sink
        self.interruption = interruption
        self.supply = supply
        with interruption.allowed():
            sink(Status.of("opening", Sentence("Opening {name}", name=Path(settings.source).name)))
            self.footage: Footage = supply.footage()
            point = load_resume_point(settings) if resume else None
            body = choose_body(settings.body, locations.body_path())
            self.body_model = BodyModel.load(body_file(body))
            self.body = MANNEQUIN if body == MANNEQUIN else Path(body).name
            self.body_and_digest = f"{self.body} ({self.body_model.fingerprint})"
            self.model = supply.model(0 if point is None else point.frame_count, sink)
            picture_map = self.model.picture_map(self.footage.size)
            self.pipeline = FramePipeline(settings, self.model, self.body_model, picture_map)
        self.people: set[int] = set()
        self.next_source_frame = settings.start
        self.resumed_at: int | None = None
        self.final_point_count: int | None = None  # of scene points that the pass over the whole clip made anew
        if point is not None:
            check_same_model(point, self.model.name, self.body_and_digest)
            self.pipeline.restore_state(point.states)
            self.next_source_frame, self.resumed_at = point.next_source_frame, point.take_offset

    def run(self) -> CaptureResult:
        """Process all frames. A stop request ends it in order; any error leaves a readable take and is raised."""
        settings = self.settings
        with self.supply.frames(self.next_source_frame, self.pipeline.frame_count) as supplied:
            frames = iter(supplied)
            with self.interruption.allowed():
                first = next(frames, None)  # before the take is touched: an earlier one may be there
            if first is None and self.resumed_at is None:
                raise _nothing_read(settings, self.footage)
            count = self.footage.expected_count(settings.start, settings.end, settings.stride) or 0
            last = settings.start + count * settings.stride
            self.pipeline.check_frames(range(settings.start, last, settings.stride), self.footage.frame_rate)
            with TakeWriter(settings.take, self.resumed_at, self.place.check) as take:
                self._begin(take)
                try:
                    cancelled = self._run_frames(first, frames, take) or self._conclude(take)
                except BaseException:
                    with contextlib.suppress(UserError):
                        take.write(TakeEnd("failed", self.pipeline.frame_count, self.footage.problem or ""))
                    raise
                return self._close(take, cancelled)

    def _begin(self, take: TakeWriter) -> None:
        settings, footage = self.settings, self.footage
        header = TakeHeader(
            PROTOCOL_VERSION,
            GENERATOR,
            footage.size,
            footage.frame_rate,
            footage.expected_count(settings.start, settings.end, settings.stride),
            self.model.name,
            self.body,
            settings,
            self.body_model.fingerprint,
        )
        if self.resumed_at is None:
            remove_resume_point(settings.take)
            take.write(header)
        self.sink(header)
        self._tell_again(take)
        self.sink(Status.of("running", Sentence("Running {model}", model=self.model.name)))

    def _tell_again(self, take: TakeWriter) -> None:
        """Send what the take of an interrupted capture has already: whoever listens may be another one."""
        with contextlib.ExitStack() as stack:
            messages = stack.enter_context(TakeReader(take.path)) if self.resumed_at is not None else ()
            for message in messages:
                self._tell(message)

    def _tell(self, message: Message) -> None:
        self.sink(message)
        if isinstance(message, Frame):
            self.people.update(message.track_id.tolist())

    def _run_frames(self, prepared: PreparedFrame | None, frames: Iterator[PreparedFrame], take: TakeWriter) -> bool:
        """Process `prepared` and the frames after it. Returns whether it was cancelled."""
        pacing, images = Pacing(), FrameImages()
        while prepared is not None:
            try:
                with self.interruption.allowed():
                    output = self.pipeline.predict(prepared)
            except Interrupted:
                self._save(take)
                return True
            log.debug("footage frame %d is predicted", prepared.source_frame)
            for message in self.pipeline.finish(output):
                take.write(message)
                self._tell(message)
                if isinstance(message, Frame) and (image := images.of(prepared, message)) is not None:
                    self.sink(image)
            self.next_source_frame = prepared.source_frame + self.settings.stride
            if pacing.is_due:
                pacing.written(self._save(take))
            try:
                with self.interruption.allowed():
                    prepared = next(frames, None)
            except Interrupted:
                self._save(take)
                return True
        return False

    def _conclude(self, take: TakeWriter) -> bool:
        """The passes over the whole clip. Returns whether they were cancelled: resuming begins them again."""
        clip = Clip(take.path, self.settings, self.body_model)
        try:
            found = self._worked_off(self.pipeline.conclude(clip), "Refining the whole take: {share}")
        except Interrupted:
            self._save(take)
            return True
        if found or self.settings.refine_people:
            self._save(take)  # what follows is written again by whoever resumes after a stop in the middle of it
        for message in found:
            take.write(message)
            self.sink(message)
            if isinstance(message, ScenePoints):
                self.final_point_count = len(message.position)
        return False

    def _refine_people(self, take: TakeWriter) -> bool:
        """The people once more, cleaned up. Returns whether it was cancelled: resuming begins with the whole clip."""
        try:
            with self.interruption.allowed():
                seen = SeenTake.read(take.path, self.body_model, finished=False)
            found = self._worked_off(refined_people(seen, self.body_model), "Refining people: {share}")
        except Interrupted:
            return True
        for message in found:
            take.write(message)
            self.sink(message)
        return False

    def _worked_off(self, steps: Generator[float, None, Result], text: str) -> Result:
        """What the steps find. Raises Interrupted where a stop is requested."""
        next_told = 0.0
        while True:
            try:
                with self.interruption.allowed():
                    share = next(steps)
            except StopIteration as end:
                result: Result = end.value
                return result
            if share >= next_told:
                self.sink(Status.of("refining", Sentence(text, share=f"{share:.0%}"), share))
                next_told = share + PROGRESS_STEP

    def _close(self, take: TakeWriter, cancelled: bool) -> CaptureResult:
        self.sink(Status("finishing", "Averaging points"))
        note = self._note()
        points = None
        if self.final_point_count is None and self.pipeline.frame_count:
            points = self.pipeline.final_points()
        if points:
            take.write(points)
            self.sink(points)
        if self.settings.refine_people and not cancelled:
            cancelled = self._refine_people(take)
        status = "cancelled" if cancelled else "complete"
        end = TakeEnd(status, self.pipeline.frame_count, note)
        take.write(end)
        if status == "complete":  # before anybody is told, who may then end this process
            take.sync()
            remove_resume_point(self.settings.take)
        self.sink(end)
        count = self.pipeline.point_count if self.final_point_count is None else self.final_point_count
        return CaptureResult(status, self.pipeline.frame_count, len(self.people), count, note)

    def _note(self) -> str:
        """What could not be had, in whole sentences; empty where nothing is missing."""
        parts = [self.footage.problem or ""]
        if (why := self.pipeline.not_refined) is not None:
            parts.append(
                Sentence(
                    "The final pass over the camera could not be made: {problem} {remedy} Then make it with the "
                    "engine's command refine-camera.",
                    problem=why.message,
                    remedy=why.remedy,
                )
            )
        return " ".join(filter(None, parts))

    def _save(self, take: TakeWriter) -> float:
        """Write the resume file and return the seconds it took; a full disk does not end the capture because of it."""
        started = time.monotonic()
        point = ResumePoint(
            self.settings,
            self.model.name,
            self.body_and_digest,
            take.offset,
            self.pipeline.frame_count,
            self.next_source_frame,
            self.pipeline.export_state(),
        )
        self.place.check()
        with contextlib.suppress(OSError):
            take.sync()
            save_resume_point(point)
        return time.monotonic() - started


def run_capture(
    settings: CaptureSettings,
    sink: Sink,
    interruption: Interruption,
    shelf: ModelShelf | None = None,
    resume: bool = False,
    place: Claim | None = None,
) -> CaptureResult:
    """Run one capture. Messages go to `sink` as well as into the take; an existing take is overwritten or resumed.

    `place` is the take's, where the caller holds it already.
    Raises UserError. A stop before the first frame was read gives a ``cancelled`` result and touches no take.
    """
    settings = resolved(settings)
    supply = nullcontext(HereSupply(settings, shelf or ModelShelf()))
    return run_supplied(settings, sink, interruption, supply, resume, place)


def run_supplied(
    settings: CaptureSettings,
    sink: Sink,
    interruption: Interruption,
    supply: AbstractContextManager[Supply],
    resume: bool = False,
    place: Claim | None = None,
) -> CaptureResult:
    """The same under settings that are resolved, with frames from elsewhere.

    `supply` is entered when the place of the take is this capture's, and left before others may have it. Raises
    UserError.
    """
    started, profiler = time.monotonic(), Profiler("engine")
    try:
        log.info("a capture begins%s", ", where an earlier one was interrupted" if resume else "")
        held = claimed(settings) if place is None else nullcontext(place)
        with explained_memory_errors(settings), profiler, held as claim, supply as supplied:
            result = _Capture(settings, sink, interruption, supplied, resume, claim).run()
    except Interrupted:
        sink(TakeEnd("cancelled", 0))
        result = CaptureResult("cancelled", 0, 0, 0, "")
    finally:
        profiler.write()
    log.info("%s: %d frames, %.1f s", result.status, result.frame_count, time.monotonic() - started)
    return result


def resolved(settings: CaptureSettings) -> CaptureSettings:
    """The settings with what ``auto`` and ``default`` come to here: what runs, what take and resume file hold, what a
    resume compares. Raises UserError (``device-missing``).
    """
    device = choose_device(settings.device)
    name = resolved_name(settings.model, device)
    precision = resolved_precision(settings.precision, name, device)
    return replace(settings, model=name, device=str(device), precision=precision).with_camera_chosen()


def _nothing_read(settings: CaptureSettings, footage: Footage) -> UserError:
    if footage.problem is None and settings.start > 0:
        return UserError(
            "footage-too-short",
            "{source} has no frame number {start}.",
            "Use a smaller start frame.",
            source=settings.source,
            start=settings.start,
        )
    return UserError(
        "footage-unreadable",
        footage.problem or Sentence("No frame of {source} could be decoded.", source=settings.source),
        "Check whether another program plays it, or convert it to MP4 (H.264).",
    )
