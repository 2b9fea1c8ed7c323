# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the engine on the clips of a set, as a user would, and measures the takes."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..capture import run_capture
from ..contract.arguments import settings_from_options
from ..contract.body_choice import MANNEQUIN
from ..contract.body_model import BodyModel
from ..contract.messages import Message
from ..contract.settings import CaptureSettings
from ..contract.take import SettledTakeReader
from ..ground_truth import ClipTruth
from ..interruption import Interrupted, Interruption
from ..motion.refined_people import SeenTake
from ..supply import ModelShelf
from .baselines import TrivialPredictor
from .body_points import PointSet
from .figures import TaskFigures
from .knowable import HEIGHT
from .knowing import told, true_heights
from .measuring import evaluate_take, measure
from .motions import RAW, other_motions
from .sets import EvaluationSet

Progress = Callable[[str, TaskFigures], None]
"""Called after each clip with its name and its own figures."""


@dataclass(frozen=True)
class SetFigures:
    """Pooled figures of a set's clips."""

    model_name: str
    model: TaskFigures
    trivial: TaskFigures
    """Of the trivial predictors; empty without them."""
    clips: dict[str, TaskFigures]
    """The model's by clip."""
    motions: dict[str, dict[str, TaskFigures]]
    """By motion and by clip, where people were measured in other motions, too."""


def evaluate_set(
    clips: EvaluationSet,
    settings: CaptureSettings,
    body: BodyModel,
    interruption: Interruption,
    trivial: TrivialPredictor | None = None,
    progress: Progress | None = None,
    shelf: ModelShelf | None = None,
    known: Collection[str] = (),
    motion: str | None = None,
) -> SetFigures:
    """Convert every clip under `settings` (their source, take and frame rate are replaced) and measure it.

    `known` are facts (:data:`.knowable.KNOWABLE`) that each clip's truth tells the capture; people are also measured in
    other motions of the same take, up to `motion` (:data:`.motions.MOTIONS`).

    `body` is the one of the settings. Raises UserError, and Interrupted when a stop is requested.
    """
    shelf = shelf or ModelShelf()
    model_name, theirs = "", TaskFigures()
    ours: dict[str, TaskFigures] = {}
    others: dict[str, dict[str, TaskFigures]] = {}
    with tempfile.TemporaryDirectory(prefix="human3r-takes-") as folder:
        path = Path(folder) / "clip.h3r"
        for clip in clips.clips():
            truth = clip.truth
            own = replace(
                settings,
                source=clip.source,
                take=str(path),
                frame_rate=truth.frame_rate,
                point_maps=truth.depth_m is not None,
            )
            own = told(own, truth, known, Path(folder))
            _run(own, interruption, shelf)
            if HEIGHT in known:
                _run(replace(own, height=true_heights(path, truth, body)), interruption, shelf)
            with SettledTakeReader(path) as take:
                model_name = take.header.model
                figures = evaluate_take(take, truth, body, clips.points)
            ours[truth.name] = figures
            for name, values in measured_motions(path, truth, body, clips.points, motion).items():
                others.setdefault(name, {})[truth.name] = values
            if trivial:
                theirs += measure(trivial.messages(truth, body), truth, body, clips.points)
            if progress:
                progress(truth.name, figures)
    return SetFigures(model_name, sum(ours.values(), TaskFigures()), theirs, ours, others)


def measured_motions(
    take: Path, truth: ClipTruth, body: BodyModel, points: PointSet, motion: str | None
) -> dict[str, TaskFigures]:
    """Figures of a take's people in other motions, by their names. Masks and depth are not theirs, and left out."""
    if motion in (None, RAW):
        return {}
    people_alone = replace(truth, person_mask=None, depth_m=None)
    frames = other_motions(SeenTake.read(take, body, finished=False), body, motion)
    return {name: measure(moved, people_alone, body, points) for name, moved in frames.items()}


def _run(settings: CaptureSettings, interruption: Interruption, shelf: ModelShelf) -> None:
    if run_capture(settings, _ignore, interruption, shelf).status != "complete":
        raise Interrupted


def settings_of_clips(options: argparse.Namespace, **changes: Any) -> CaptureSettings:
    """What the command's options say of captures; what belongs to one clip is replaced clip by clip.

    There are no scene points, unless `changes` say so.
    """
    given: dict[str, Any] = {
        "source": "clip",
        "take": "clip.h3r",
        "body": options.body or MANNEQUIN,
        "frame_rate": None,
        "start": 0,
        "end": None,
        "stride": 1,
        "point_maps": False,
        "point_confidence": 1.0,
        "voxel_size": 0.0,
        "max_points": 1,
        "refine_people": False,
    }
    settings: CaptureSettings = settings_from_options(options, **(given | changes))
    return settings


def _ignore(_message: Message) -> None:
    """Everything that is measured is in the take."""
