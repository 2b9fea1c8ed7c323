# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine evaluate`: a take against its ground truth, or a model on synthetic clips of given seeds."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from ..contract.arguments import add_setting_options, settings_from_options
from ..contract.body_model import BodyModel, default_body_path
from ..contract.errors import UserError
from ..contract.take import TakeReader
from ..interruption import Interrupted, Interruption
from ..synthetic.settings import HELD_OUT_SEED, TIERS, tier_settings
from . import baselines
from .baselines import TrivialPredictor
from .body_points import SmplxPoints
from .figures import TaskFigures
from .ground_truth import read_truth
from .measuring import evaluate_take, measure
from .report import Report

DONE, USER_ERROR, CANCELLED = 0, 1, 130
"""Exit codes, as those of `python -m engine run`."""

BASELINE_SEEDS = range(64)
"""Training seeds that the constants of the trivial predictors come from."""

_SET_BY_THE_CLIP = ("source", "take", "frame_rate", "start", "end", "stride", "point_maps", "voxel_size", "max_points",
                    "point_confidence")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--take", metavar="TAKE.h3r", help="measure this take (with --truth)")
    what.add_argument("--synthetic-seeds", metavar="A:B", type=_seeds,
                      help="convert and measure the synthetic clips of seeds A to B - 1; training never saw those from "
                           f"{HELD_OUT_SEED} on")
    parser.add_argument("--truth", metavar="TRUTH.npz", help="the ground truth of the take's footage")
    parser.add_argument("--tier", action="append", choices=[*TIERS, "all"],
                        help="kind of synthetic clips, from easy to hard; may be given several times (studio)")
    parser.add_argument("--clip-frames", type=int, default=48, metavar="FRAMES",
                        help="pictures of each synthetic clip (%(default)s)")
    parser.add_argument("--no-baselines", action="store_true",
                        help=f"leave out the trivial predictors: {baselines.DESCRIPTION}")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON as well")
    add_setting_options(parser, leave_out=_SET_BY_THE_CLIP)


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command: tables on `stdout`, progress and errors on standard error. Returns the exit code."""
    try:
        reports = [_take_report(options)] if options.take else _synthetic_reports(options, Interruption())
        text = "\n\n".join(report.text() for report in reports)
        stdout.write(text.encode("utf-8") + b"\n")
        stdout.flush()
        if options.json:
            _write_json(Path(options.json), {"reports": [report.to_json() for report in reports]})
    except UserError as error:
        print(f"error [{error.code}]: {error.message}\nremedy: {error.remedy}", file=sys.stderr)
        return USER_ERROR
    except Interrupted:
        print("Cancelled.", file=sys.stderr)
        return CANCELLED
    return DONE


def _take_report(options: argparse.Namespace) -> Report:
    if not options.truth:
        raise UserError("bad-setting", "A take is measured against ground truth, and none was given.",
                        "Give --truth TRUTH.npz.")
    body = _body(options.body)
    truth = read_truth(options.truth)
    with TakeReader(options.take) as take:
        try:
            figures = evaluate_take(take, truth, body)
        except ValueError as error:
            raise UserError("truth-mismatch", f"{options.truth} cannot be measured here: {error}.",
                            "Use ground truth with SMPL-X parameters.") from error
        title = f"{take.header.model} on {truth.name}, from {take.path.name}"
        if take.problem:
            print(f"note: {take.problem}", file=sys.stderr)
    columns = {"take": figures}
    if not options.no_baselines:
        columns[baselines.NAME] = measure(TrivialPredictor.fit([truth], body).messages(truth, body), truth, body)
    return Report(title, SmplxPoints.name, columns)


def _synthetic_reports(options: argparse.Namespace, interruption: Interruption) -> list[Report]:
    # These load torch, which a take alone does not need.
    from ..capture import ModelShelf
    from .running import evaluate_set
    from .synthetic_set import SyntheticSet

    settings = settings_from_options(
        options, source="synthetic", take="clip.h3r", frame_rate=None, start=0, end=None, stride=1, point_maps=False,
        point_confidence=1.0, voxel_size=0.0, max_points=1)
    body, shelf, reports = _body(options.body), ModelShelf(), []
    wanted = options.tier or ["studio"]
    for tier in TIERS if "all" in wanted else dict.fromkeys(wanted):
        kind = replace(tier_settings(tier), frames=options.clip_frames)
        clips = SyntheticSet(options.synthetic_seeds, kind, body)
        trivial = None
        if not options.no_baselines:
            trivial = TrivialPredictor.fit(SyntheticSet(BASELINE_SEEDS, replace(kind, frames=2), body).truths(), body)
        found = evaluate_set(clips, settings, body, interruption, trivial, _Progress(len(clips)).show, shelf)
        columns = {"model": found.model} | ({baselines.NAME: found.trivial} if trivial else {})
        reports.append(Report(f"{found.model_name} on {clips.name} ({options.clip_frames} frames each)",
                              clips.points.name, columns))
    return reports


class _Progress:
    """One line per clip."""

    def __init__(self, total: int) -> None:
        self._done, self._total = 0, total

    def show(self, name: str, figures: TaskFigures) -> None:
        self._done += 1
        print(f"clip {self._done} of {self._total} ({name}): {figures.frames} frames", file=sys.stderr, flush=True)


def _body(path: str) -> BodyModel:
    return BodyModel.load(path or default_body_path())


def _seeds(text: str) -> range:
    first, _, last = text.partition(":")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B with whole numbers A below B")
    return range(int(first), int(last))


def _write_json(path: Path, values: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError("report-unwritable", f"The report {path} cannot be written: {error.strerror}.",
                        "Choose a folder that exists, with permission to write.") from error
