# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine farm-merge K*.h3rc --take OUT.h3r`: the chunks of a clip become its take."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from .contract.errors import UserError
from .contract.exit_codes import EXPLANATION
from .contract.file_names import is_remote
from .contract.sentences import Sentence
from .contract.settings import CaptureSettings
from .run_command import add_report_options, add_take_options, check_take, reported, told

_OPTIONS = {"source": "--footage", "body": "--body", "camera_file": "--camera-file"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"{EXPLANATION} The network is not run here, so neither its weights nor a GPU are needed; nor is the footage, "
        "where Refine Camera is off. Settings are those of the chunks. The take is the one that run makes in one go."
    )
    parser.add_argument("chunks", nargs="+", type=Path, metavar="K.h3rc", help="all chunks of the clip, in any order")
    add_take_options(parser)
    parser.add_argument("--footage", metavar="VIDEO", help="where the footage is now (default: where a worker had it)")
    parser.add_argument("--camera-file", metavar="CAMERA.npz", help="where that of the chunks is now")
    parser.add_argument("--body", help="SMPL-X body file (.npz), or mannequin (default: as the chunks say)")
    add_report_options(parser)


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; the summary goes to `stdout`, progress to standard error. Returns the exit code."""
    return reported(options, stdout, _merge)


def _merge(options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """The exit code and the summary. Raises UserError."""
    from .farm_chunks.merging import look_at, merged_settings, ordered

    chunks = ordered([look_at(path) for path in options.chunks])
    files = {"source": options.footage, "body": options.body, "camera_file": options.camera_file}
    given = {name: path for name, path in files.items() if path is not None}
    settings = merged_settings(chunks, given | {"take": options.take})
    check_take(settings, options)
    _refuse_remote(settings, given)
    if settings.refine_camera == "on":
        _check_footage(settings, chunks[0].header.clip)
    from .capture import run_supplied
    from .farm_chunks.merging import MergeSupply
    from .interruption import Interruption

    supply = nullcontext(MergeSupply(chunks))
    return told(options, settings, lambda sink: run_supplied(settings, sink, Interruption(), supply, options.resume))


def _refuse_remote(settings: CaptureSettings, given: Collection[str]) -> None:
    """Chunks may be from elsewhere, so what they name on another computer is opened only where the user says so too:
    Windows sends the user's login to the host that such a path names. Raises UserError (``file-remote``)."""
    opened = ["body", "camera_file"]
    if settings.refine_camera == "on" or Path(settings.take).exists():
        opened.append("source")
    for name in opened:
        if name not in given and is_remote(getattr(settings, name)):
            raise UserError(
                "file-remote",
                "The chunks say that a file lies on another computer: {path}.",
                "If you trust that computer, give the path yourself: {option} {path}.",
                path=getattr(settings, name),
                option=_OPTIONS[name],
            )


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
