# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine farm-task CLIP --take OUT.h3r`: begins, goes on, or is already complete, with one command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import BinaryIO

from ..contract.arguments import add_setting_options, settings_from_options
from ..contract.errors import UserError
from ..contract.exit_codes import EXPLANATION
from ..farm.clips import read_tasks
from ..interruption import Interruption
from .outcomes import exit_code
from .telling import FORMS, Teller
from .worker import Worker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"{EXPLANATION} 75 try again, here or on another worker: the device is busy, memory is short, or another "
        "process writes the take. 130 saves what is done, and the same command goes on from there. A take counts as "
        "complete by its last record; a complete take ends the command at once."
    )
    parser.add_argument("source", metavar="CLIP", nargs="?", help="video, folder of images or image-sequence pattern")
    parser.add_argument("--take", metavar="OUT.h3r", help="where to write the take")
    parser.add_argument(
        "--also",
        nargs=2,
        action="append",
        default=[],
        metavar=("CLIP", "OUT.h3r"),
        help="another clip and its take, for the same load of the model; may be given again",
    )
    parser.add_argument("--list", metavar="FILE", help="the list of clips of a bundle (clips.json), instead of CLIP")
    parser.add_argument(
        "--item", type=int, metavar="N", help="with --list, the task to do, counted from 0 (default: all of them)"
    )
    parser.add_argument("--output", default=".", metavar="FOLDER", help="with --list, the folder that takes go to")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace complete takes of other footage or settings; only those"
    )
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="a clip that cannot be read is noted beside its take, and the task ends with 0, so that steps which wait "
        "for all clips run; the report ends with 1 then",
    )
    parser.add_argument(
        "--require-gpu", action="store_true", help="end with 75 where there is no GPU, instead of using the processor"
    )
    parser.add_argument(
        "--progress",
        choices=FORMS,
        default="plain",
        help="; ".join(f"{name}: {text}" for name, text in FORMS.items()) + " (%(default)s)",
    )
    add_setting_options(parser)


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; progress goes to `stdout`, errors to standard error. Returns the exit code."""
    interruption, teller = Interruption(), Teller(stdout, options.progress)
    try:
        clips = _clips(options)
        wanted = [settings_from_options(options, source=source, take=take) for source, take in clips]
    except UserError as error:
        teller.fail(error)
        return exit_code(error)
    return Worker(options, interruption, teller).run(wanted)


def _clips(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Clips and takes, each once. Raises UserError."""
    if options.list:
        return _listed(options)
    if not (options.source and options.take):
        raise UserError("bad-setting", "There is no clip, or no take.", "Give CLIP and --take, or --list.")
    return list(dict.fromkeys([(options.source, options.take), *map(tuple, options.also)]))


def _listed(options: argparse.Namespace) -> list[tuple[str, str]]:
    tasks = read_tasks(Path(options.list))
    if options.item is not None:
        if not 0 <= options.item < len(tasks):
            raise UserError(
                "bad-setting",
                "There is no task {item} in {path}, which has {count}.",
                "Count from 0.",
                item=options.item,
                path=options.list,
                count=len(tasks),
            )
        tasks = [tasks[options.item]]
    folder = Path(options.output)
    return [(clip.source, str(folder / clip.take)) for task in tasks for clip in task]
