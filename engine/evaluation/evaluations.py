# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command evaluates: a take file with its ground truth, synthetic clips by tier, or a dataset."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..capture import resolved
from ..contract.body_choice import choose_body_of_take
from ..contract.errors import UserError
from ..contract.settings import BUILT_IN, CaptureSettings
from ..contract.take import SettledTakeReader
from ..ground_truth import ClipTruth, read_truth
from ..installed import locations
from ..interruption import Interruption
from ..supply import ModelShelf
from ..synthetic.settings import TIERS, tier_settings
from . import baselines
from .baselines import TrivialPredictor
from .body_points import SmplxPoints
from .figures import TaskFigures
from .measuring import evaluate_take, measure
from .motions import RAW
from .report import Report, summary
from .running import evaluate_set, measured_motions, settings_of_clips
from .synthetic_set import DatasetSet, NamedBody, SyntheticSet

BASELINE_SEEDS = range(64)
"""Training seeds that the constants of the trivial predictors come from."""

MODEL = "model"
"""Name of the column of what was captured, where no other motions stand beside it."""

WITHOUT_TTT3R, WITHOUT_PROMPTS = "without TTT3R", "without prompts"


def evaluate_take_file(options: argparse.Namespace) -> Report:
    """Measure the take of `--take` against `--truth`; the trivial predictors get their constants from the same clip."""
    if not options.truth:
        raise UserError(
            "bad-setting", "A take is measured against ground truth, but none was given.", "Give --truth TRUTH.npz."
        )
    truth = read_truth(options.truth)
    with SettledTakeReader(options.take, refined=options.motion is None) as take:
        body = NamedBody.load(options.body or choose_body_of_take(take.header, locations.body_path())).model
        try:
            figures = evaluate_take(take, truth, body)
        except ValueError as error:
            raise UserError(
                "truth-mismatch",
                "The take cannot be measured against {truth}: {error}.",
                "Use ground truth with SMPL-X parameters.",
                truth=options.truth,
                error=error,
            ) from error
        title = f"{take.header.model} on {truth.name}, from {take.path.name}"
        if take.problem:
            print(f"note: {take.problem}", file=sys.stderr)
    columns = {RAW if options.motion else "take": figures}
    columns |= measured_motions(Path(options.take), truth, body, SmplxPoints(), options.motion)
    if not options.no_baselines:
        columns[baselines.NAME] = measure(TrivialPredictor.fit([truth], body).messages(truth, body), truth, body)
    return Report(title, SmplxPoints.name, columns)


def evaluate_synthetic(options: argparse.Namespace, interruption: Interruption) -> list[Report]:
    """Convert and measure the clips of `--synthetic-seeds`, one report per tier."""
    body, shelf = NamedBody.load(options.body), ModelShelf()
    wanted = options.tier or ["studio"]
    reports = []
    for tier in TIERS if "all" in wanted else dict.fromkeys(wanted):
        kind = tier_settings(tier)
        kind = replace(kind, frames=options.clip_frames, size=options.clip_size or kind.size)
        training_clips = SyntheticSet(BASELINE_SEEDS, replace(kind, frames=2), body)
        clips = SyntheticSet(options.synthetic_seeds, kind, body)
        reports.append(_evaluate(options, clips, training_clips.truths(), body, shelf, interruption))
    return reports


def evaluate_dataset(options: argparse.Namespace, interruption: Interruption) -> Report:
    """Convert and measure the sequences of `--dataset`; the trivial predictors' constants are from the same ones."""
    body = NamedBody.load(options.body)
    clips = DatasetSet(options.dataset, options.split, body)
    return _evaluate(options, clips, clips.truths(), body, ModelShelf(), interruption)


def _evaluate(
    options: argparse.Namespace,
    clips: SyntheticSet | DatasetSet,
    baseline_truths: Iterator[ClipTruth],
    body: NamedBody,
    shelf: ModelShelf,
    interruption: Interruption,
) -> Report:
    settings = settings_of_clips(options)
    if options.ablations and resolved(settings).model == BUILT_IN:
        raise UserError(
            "no-ablations",
            "The built-in model has no TTT3R gate and no human prompts to leave out.",
            "Choose a Human3R with --model (small, 896L, ...), or leave out --ablations.",
        )
    trivial = None if options.no_baselines else TrivialPredictor.fit(baseline_truths, body.model)
    progress = _Progress(len(clips), "")
    found = evaluate_set(
        clips, settings, body.model, interruption, trivial, progress.show, shelf, motion=options.motion
    )
    columns = {RAW if options.motion else MODEL: found.model}
    columns |= {name: sum(by_clip.values(), TaskFigures()) for name, by_clip in found.motions.items()}
    if options.known:
        name = "known " + ", ".join(options.known)
        progress = _Progress(len(clips), f", {name}")
        columns[name] = evaluate_set(
            clips, settings, body.model, interruption, None, progress.show, shelf, options.known
        ).model
    for name, changed in _ablations(settings).items() if options.ablations else ():
        progress = _Progress(len(clips), f", {name}")
        columns[name] = evaluate_set(clips, changed, body.model, interruption, None, progress.show, shelf).model
    if trivial:
        columns[baselines.NAME] = found.trivial
    title = f"{found.model_name} on {clips.name} ({len(clips)} clips)"
    return Report(title, clips.points.name, columns, found.clips, found.motions)


def _ablations(settings: CaptureSettings) -> dict[str, CaptureSettings]:
    """The paper's two: without people to find there are no human prompts, which leaves camera and depth to compare."""
    return {
        WITHOUT_TTT3R: replace(settings, ttt3r=False),
        WITHOUT_PROMPTS: replace(settings, detection_threshold=math.nextafter(1.0, 0.0)),
    }


class _Progress:
    """One line per clip."""

    def __init__(self, total: int, note: str) -> None:
        self._done, self._total, self._note = 0, total, note

    def show(self, name: str, figures: TaskFigures) -> None:
        self._done += 1
        print(
            f"clip {self._done} of {self._total} ({name}{self._note}): {summary(figures)}", file=sys.stderr, flush=True
        )
