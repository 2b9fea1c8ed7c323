# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a model, or takes that it made, on a folder of annotated real footage."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...capture import GENERATOR
from ...contract.body_choice import body_file, choose_body_of_take
from ...contract.body_model import BodyModel
from ...contract.errors import UserError
from ...contract.messages import Frame, TakeHeader
from ...installed import locations
from ...interruption import Interruption
from ...motion.refined_people import SeenTake
from ...supply import ModelShelf
from ..motions import MOTIONS, RAW, other_motions
from ..running import settings_of_clips
from .annotations import AnnotatedClip, FootagePlace, read_annotations
from .captures import Captures, Take
from .falling import Fall, measure_fall
from .footage_files import find_footage
from .motions import MotionResult
from .outlines import outline_overlap
from .points import body_points, project
from .report import ClipResult, RealReport
from .scoring import RealScore, Sighting, match, score_frame, sightings
from .standing import standing_feet
from .truth import Truth, read_truth
from .truth_scoring import TruthScore, score_views

FOCAL_SETTING = "focal_mm"
"""The capture setting that a true focal length is given with."""

ESTIMATED, TOLD = "estimated", "true one given"

_PACKAGES = ("numpy", "torch", "opencv-python-headless")


def evaluate_real(options: argparse.Namespace, interruption: Interruption) -> RealReport:
    """Measure `--model` on the folder `--real`, or the takes in `--takes`. Raises UserError, and Interrupted."""
    folder = Path(options.real)
    clips, truth = read_annotations(folder), read_truth(folder)
    with ExitStack() as stack:
        kept = options.takes or options.keep_takes or stack.enter_context(tempfile.TemporaryDirectory())
        captures = Captures(
            Path(kept),
            settings_of_clips(options),
            interruption,
            ModelShelf(),
            only_read=bool(options.takes),
            stride=options.stride,
            full=options.full,
            refined=options.motion is None,
        )
        cache = Path(options.footage_cache or _cache())
        evaluation = _Evaluation(folder, cache, captures, options.body, options.motion)
        for clip in clips:
            evaluation.add_clip(clip)
        if truth is not None:
            evaluation.add_truth(truth)
        return evaluation.report()


def _cache() -> Path:
    return locations.downloads_folder() / "footage"


@dataclass
class _Evaluation:
    """What was measured so far."""

    folder: Path
    cache: Path
    captures: Captures
    body: str
    """The body that was asked for; empty for the take's own."""
    motion: str | None
    """The last of the motions that people are measured in; None for the take's own alone."""
    clips: dict[str, ClipResult] = field(default_factory=dict)
    truth_name: str = ""
    truth: dict[str, TruthScore] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    headers: list[TakeHeader] = field(default_factory=list)
    _moved_takes: dict[Path, dict[str, list[Frame]]] = field(default_factory=dict)

    def add_clip(self, clip: AnnotatedClip) -> None:
        """Capture and measure one clip, or note why not."""
        with self._left_out_on_errors(clip.name):
            take = self._take(Path(clip.name).stem, clip.place, list(clip.frames))
            body = self._body(take.header)
            seen, overlaps = list[Sighting](), list[float | None]()
            for number, people in clip.frames.items():
                if number in take.frames:
                    frame = take.frames[number]
                    points = project(body_points(frame, body), frame)
                    matches = match(people, points)
                    seen += sightings(number, people, points, matches, frame.track_id.tolist())
                    if people and len(matches) == len(people) == len(points):
                        overlaps.append(outline_overlap(frame, body))
            unseen = tuple(number for number in clip.frames if number not in take.frames)
            covered = tuple(overlap for overlap in overlaps if overlap is not None)
            self.clips[clip.name] = ClipResult(
                _score(clip, take.frames, body),
                tuple(seen),
                take,
                clip.person_count,
                unseen,
                _fall(clip, take.frames, body),
                covered,
                clip.camera_is_fixed,
                self._motions(clip, take, body),
            )

    def add_truth(self, truth: Truth) -> None:
        """Capture and measure the views of the truth, without and with their focal lengths."""
        self.truth_name = truth.name
        for name in (ESTIMATED, TOLD):
            takes: dict[str, Take] = {}
            for camera in truth.cameras:
                with self._left_out_on_errors(f"{camera.place.name}, focal length {name}"):
                    told = {FOCAL_SETTING: camera.focal_mm} if name == TOLD else {}
                    take_name = camera.name + ("-focal" if told else "")
                    takes[camera.name] = self._take(take_name, camera.place, list(truth.joints), **told)
            if takes:
                body = self._body(next(iter(takes.values())).header)
                self.truth[name] = score_views(truth, body, {camera: take.frames for camera, take in takes.items()})
                for motion in MOTIONS[1:] if self.motion else ():
                    moved = {camera: self._moved(take, body).get(motion) for camera, take in takes.items()}
                    known = {camera: _by_source_frame(frames) for camera, frames in moved.items() if frames}
                    if known:
                        self.truth[f"{name}, {motion}"] = score_views(truth, body, known)

    def _motions(self, clip: AnnotatedClip, take: Take, body: BodyModel) -> dict[str, MotionResult]:
        """The clip's people in all motions that were asked for, the raw one first."""
        if self.motion is None:
            return {}
        seen = SeenTake.read(take.path, body, finished=False)
        moved = {RAW: seen.frames, **self._moved(take, body)}
        standing = standing_feet(moved, body, seen.up)
        by_frame = {name: _by_source_frame(frames) for name, frames in moved.items()}
        return {
            name: MotionResult(_score(clip, frames, body), standing[name], _fall(clip, frames, body))
            for name, frames in by_frame.items()
        }

    def _moved(self, take: Take, body: BodyModel) -> dict[str, list[Frame]]:
        """Made once for each take."""
        if take.path not in self._moved_takes:
            seen = SeenTake.read(take.path, body, finished=False)
            self._moved_takes[take.path] = other_motions(seen, body, self.motion or RAW)
        return self._moved_takes[take.path]

    def report(self) -> RealReport:
        models = sorted({header.model for header in self.headers})
        title = f"{', '.join(models) or 'nothing'} on real footage in {self.folder.name}"
        return RealReport(title, self.clips, self.truth_name, self.truth, self.left_out, self._about(models))

    def _take(self, name: str, place: FootagePlace, frames: list[int], **changes: float) -> Take:
        print(f"{name}: {'reading the take' if self.captures.only_read else 'capturing'}", file=sys.stderr, flush=True)
        take = self.captures.take(name, lambda: find_footage(self.folder, place, self.cache), frames, **changes)
        self.headers.append(take.header)
        return take

    def _body(self, header: TakeHeader) -> BodyModel:
        return BodyModel.load(body_file(self.body or choose_body_of_take(header, locations.body_path())))

    @contextmanager
    def _left_out_on_errors(self, name: str) -> Iterator[None]:
        """One clip that cannot be had does not end the evaluation of the others; the report says so."""
        try:
            yield
        except UserError as error:
            if error.code not in _LEFT_OUT:
                raise
            self.left_out[name] = str(error)
            print(f"{name} is left out: {error}", file=sys.stderr, flush=True)

    def _about(self, models: list[str]) -> dict[str, object]:
        settings = asdict(self.headers[0].settings) if self.headers else {}
        return {
            "models": models,
            "settings": {name: value for name, value in settings.items() if name not in _OF_ONE_CLIP},
            "versions": {
                "engine": sorted({header.generator for header in self.headers} | {GENERATOR}),
                "python": platform.python_version(),
                **{name: importlib.metadata.version(name) for name in _PACKAGES},
            },
        }


def _score(clip: AnnotatedClip, frames: Mapping[int, Frame], body: BodyModel) -> RealScore:
    """Of the annotated frames that there are."""
    total = RealScore()
    for number, people in clip.frames.items():
        if number in frames:
            points = project(body_points(frames[number], body), frames[number])
            total += score_frame(people, points, match(people, points))
    return total


def _fall(clip: AnnotatedClip, frames: Mapping[int, Frame], body: BodyModel) -> Fall | None:
    return None if clip.flight is None else measure_fall(clip.flight, frames, body)


def _by_source_frame(frames: Iterable[Frame]) -> dict[int, Frame]:
    return {frame.source_frame: frame for frame in frames}


_OF_ONE_CLIP = ("source", "take", "start", "end", "stride", FOCAL_SETTING)

_LEFT_OUT = ("footage-missing", "wheel-unavailable", "wheel-damaged", "take-unreadable")
"""Codes of what may be wrong with one clip alone."""
