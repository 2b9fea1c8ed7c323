# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine farm-merge K*.h3rc --take OUT.h3r`: the chunks of a clip become its take."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from .contract.errors import UserError
from .contract.exit_codes import EXPLANATION
from .contract.sentences import Sentence
from .contract.settings import CaptureSettings
from .run_command import add_report_options, add_take_options, check_take, reported, told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"{EXPLANATION} The network is not run here, so neither its weights nor a GPU are needed; nor is the footage, "
        "where Refine Camera is off. Settings are those of the chunks. The take is the one that run makes in one go."
    )
    parser.add_argument("chunks", nargs="+", type=Path, metavar="K.h3rc", help="all chunks of the clip, in any order")
    add_take_options(parser)
    parser.add_argument("--footage", metavar="VIDEO", help="where the footage is now (default: where a worker had it)")
    parser.add_argument("--body", help="SMPL-X body file (.npz), or mannequin (default: as the chunks say)")
    add_report_options(parser)


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; the summary goes to `stdout`, progress to standard error. Returns the exit code."""
    return reported(options, stdout, _merge)


def _merge(options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """The exit code and the summary. Raises UserError."""
    from .farm_chunks.merging import look_at, merged_settings, ordered

    chunks = ordered([look_at(path) for path in options.chunks])
    given = {"take": options.take, "source": options.footage, "body": options.body}
    settings = merged_settings(chunks, {name: value for name, value in given.items() if value is not None})
    check_take(settings, options)
    if settings.refine_camera == "on":
        _check_footage(settings, chunks[0].header.clip)
    from .capture import run_supplied
    from .farm_chunks.merging import MergeSupply
    from .interruption import Interruption

    supply = nullcontext(MergeSupply(chunks))
    return told(options, settings, lambda sink: run_supplied(settings, sink, Interruption(), supply, options.resume))


def _check_footage(settings: CaptureSettings, clip: str) -> None:
    """Whether the final pass, which looks at the footage once more, has it. Raises UserError."""
    from .farm_chunks.clip_fingerprint import clip_fingerprint

    remedy = Sentence("The final pass over the camera looks at the footage again. Say where it is: --footage VIDEO.")
    try:
        found = clip_fingerprint(settings.source)
    except UserError as error:
        raise UserError(error.code, error.message, remedy) from error
    if found != clip:
        raise UserError(
            "footage-differs",
            "{source} is not the footage that the chunks were made from.",
            remedy,
            source=settings.source,
        )
