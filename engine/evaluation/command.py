# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine evaluate`: a take against its truth, or a model on synthetic clips, a dataset or real footage."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..contract.arguments import add_setting_options
from ..contract.errors import UserError
from ..contract.exit_codes import CANCELLED, DONE
from ..contract.settings import CAMERAS
from ..interruption import Interrupted, Interruption
from ..standard_streams import say_error
from ..synthetic.settings import HELD_OUT_SEED, TIERS
from .knowable import KNOWABLE
from .motions import MOTIONS

SET_BY_THE_CLIP = (
    "source",
    "take",
    "frame_rate",
    "start",
    "end",
    "stride",
    "point_maps",
    "voxel_size",
    "max_points",
    "point_confidence",
    "refine_people",
)
"""Capture settings that are no options here: the clips and the measuring decide them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--take", metavar="TAKE.h3r", help="measure this take (with --truth)")
    what.add_argument(
        "--synthetic-seeds",
        metavar="A:B",
        type=_seeds,
        help="capture and measure the synthetic clips of seeds A to B - 1; training never saw those from "
        f"{HELD_OUT_SEED} on",
    )
    what.add_argument(
        "--dataset",
        metavar="FOLDER",
        help="capture and measure the sequences of a dataset on disk (in the layout that `python -m engine.synthetic` "
        "writes, which is that of processed BEDLAM)",
    )
    what.add_argument(
        "--real",
        metavar="FOLDER",
        help="capture and measure the clips of a folder with annotations.json: joints of real people, noted by eye",
    )
    parser.add_argument("--split", default="Validation", help="which part of the dataset (%(default)s)")
    parser.add_argument("--truth", metavar="TRUTH.npz", help="the ground truth of the take's footage")
    parser.add_argument(
        "--tier",
        action="append",
        choices=[*TIERS, "all"],
        help="kind of synthetic clips, from easy to hard; may be given several times (studio)",
    )
    parser.add_argument(
        "--clip-frames",
        type=int,
        default=48,
        metavar="FRAMES",
        help="frames of each synthetic clip, but for those of --camera (%(default)s)",
    )
    parser.add_argument("--no-baselines", action="store_true", help="leave out the trivial predictors")
    parser.add_argument(
        "--ablations", action="store_true", help="also measure without TTT3R, and without human prompts"
    )
    parser.add_argument(
        "--known",
        metavar="FACTS",
        type=_facts,
        default=[],
        help="with --synthetic-seeds and --dataset: measure once more with these facts of each clip given to the "
        f"capture, with commas: {', '.join(KNOWABLE)}",
    )
    parser.add_argument(
        "--motion",
        choices=MOTIONS,
        help="measure people raw, as they were seen; with clean also cleaned up without refining their places; with "
        "refined also cleaned up as `engine refine` and Blender do it (default: as the take has them)",
    )
    parser.add_argument("--json", metavar="FILE", help="also write the figures to this file as JSON")
    _add_options_of_takes(parser)
    _add_options_of_real_footage(parser)
    _add_options_of_the_camera(parser)
    add_setting_options(parser, leave_out=(*SET_BY_THE_CLIP, "camera"))


class _MeasureOrChoose(argparse.Action):
    """`--camera` alone asks for its measurement; with a word it is the capture setting of that name."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if values is None:
            namespace.measure_camera = True
        else:
            namespace.camera = values


def _add_options_of_the_camera(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("camera")
    group.add_argument(
        "--camera",
        nargs="?",
        choices=list(CAMERAS),
        default="auto",
        action=_MeasureOrChoose,
        help="alone: measure how well the camera and the surroundings are found, on clips of --synthetic-seeds whose "
        "camera moves, stands still and pans; with a word: where the camera motion comes from (%(default)s)",
    )
    parser.set_defaults(measure_camera=False)
    group.add_argument(
        "--camera-frames", type=int, default=60, metavar="FRAMES", help="frames of the clips of --camera (%(default)s)"
    )
    group.add_argument(
        "--clip-size",
        metavar="WIDTHxHEIGHT",
        type=_size,
        help="of synthetic clips (the tier's own; 512x384 with --camera)",
    )
    group.add_argument(
        "--clip-cache", metavar="FOLDER", help="keep the clips of --camera there: making one takes a minute or two"
    )


def _add_options_of_takes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("takes, with --real and --camera")
    takes = group.add_mutually_exclusive_group()
    takes.add_argument("--takes", metavar="FOLDER", help="measure the takes in this folder (CLIP.h3r); capture nothing")
    takes.add_argument("--keep-takes", metavar="FOLDER", help="put the takes there and keep them")


def _add_options_of_real_footage(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("real footage")
    group.add_argument(
        "--stride",
        type=int,
        metavar="FRAMES",
        help="capture one frame in this many (the most that hits every annotated frame and leaves 12 a second)",
    )
    group.add_argument(
        "--full",
        action="store_true",
        help="capture whole clips, instead of from two seconds before the first annotated frame to the last",
    )
    group.add_argument(
        "--footage-cache",
        metavar="FOLDER",
        help="where clips that are members of a package's wheel are kept (a folder beside the user's weights)",
    )


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command: tables on `stdout`, progress and errors on standard error. Returns the exit code."""
    # Here, so that the engine's other commands and --help do not wait for scipy and torch.
    from .camera.evaluating import evaluate_camera
    from .camera.report import CameraReport
    from .evaluations import evaluate_dataset, evaluate_synthetic, evaluate_take_file
    from .real.evaluating import evaluate_real
    from .real.report import RealReport
    from .report import Report

    reports: Sequence[Report | RealReport | CameraReport]
    try:
        if options.measure_camera:
            reports = [evaluate_camera(options, Interruption())]
        elif options.take:
            reports = [evaluate_take_file(options)]
        elif options.real:
            reports = [evaluate_real(options, Interruption())]
        elif options.dataset:
            reports = [evaluate_dataset(options, Interruption())]
        else:
            reports = evaluate_synthetic(options, Interruption())
        text = "\n\n".join(report.text() for report in reports)
        stdout.write(text.encode("utf-8") + b"\n")
        stdout.flush()
        if options.json:
            _write_json(Path(options.json), {"reports": [report.to_json() for report in reports]})
    except UserError as error:
        return say_error(error)
    except Interrupted:
        print("Cancelled.", file=sys.stderr)
        return CANCELLED
    return DONE


def _seeds(text: str) -> range:
    first, _, last = text.partition(":")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B, with whole numbers and A below B")
    return range(int(first), int(last))


def _facts(text: str) -> list[str]:
    facts = text.split(",")
    if not set(facts) <= set(KNOWABLE):
        raise argparse.ArgumentTypeError(f"{text!r} is not of {', '.join(KNOWABLE)}, with commas")
    return facts


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, with whole numbers")
    return int(width), int(height)


def _write_json(path: Path, values: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(
            "report-unwritable",
            "The report {path} cannot be written: {reason}.",
            "Choose a folder that exists, with permission to write.",
            path=path,
            reason=error.strerror,
        ) from error
