# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine refine TAKE`: a take whose people are cleaned up and stand where the ground says they do."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from .contract.arguments import add_setting_options, settings_from_options
from .contract.body_choice import body_file, choose_body_of_take, warning_about_body
from .contract.body_model import BodyModel
from .contract.errors import UserError
from .contract.exit_codes import CANCELLED, DONE, EXPLANATION
from .contract.messages import PROTOCOL_VERSION, FinalFrame, Message, TakeEnd, TakeHeader
from .contract.take import TakeReader
from .contract.take_rewriting import refuse_existing, refuse_interrupted, refuse_source, rewrite_take
from .installed.locations import body_path
from .motion.clean_up import CleanUpSettings
from .motion.refined_people import SeenTake, refined_people
from .slices import worked_off
from .standard_streams import say, say_error, write_summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"{EXPLANATION} The take that is read does not change. All its records are in the new one byte by byte, and "
        "refined people follow them: whoever reads the new take gets those, and how people were seen is still there. "
        "A take that is refined already is refined anew, from how people were seen."
    )
    parser.add_argument("take", type=Path, metavar="TAKE.h3r", help="the take to read")
    parser.add_argument(
        "--output", type=Path, metavar="OUT.h3r", help="where to write the new take (default: TAKE-refined.h3r)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing OUT.h3r")
    parser.add_argument(
        "--body",
        default="",
        metavar="FILE",
        help="a body file (.npz), or mannequin (default: the body of the take, if it is there)",
    )
    parser.add_argument("--json", action="store_true", help="print a summary to standard output as one line of JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress lines on standard error")
    add_setting_options(parser, CleanUpSettings, "clean-up settings", leave_out=("refine",))


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; the summary goes to `stdout`, progress to standard error. Returns the exit code."""
    from .interruption import Interrupted, Interruption

    started, interruption = time.monotonic(), Interruption()
    summary: dict[str, Any]
    try:
        target = options.output or refined_name(options.take)
        with interruption.allowed():
            found = _found(options, target)
        write_refined(options.take, target, found)
        code, summary = DONE, _summary(found) | {"take": str(target)}
        say(f"Refined {summary['people']} people in {summary['frames_changed']} frames. Wrote {target}")
    except UserError as error:
        code, summary = say_error(error), {"status": "failed", **error.as_fields()}
    except Interrupted:
        say("Canceled. Nothing was written.")
        code, summary = CANCELLED, {"status": "cancelled"}
    if options.json:
        write_summary(stdout, summary, started)
    return code


def refined_name(take: Path) -> Path:
    """What a refined take is called, beside the one that it is made of."""
    return take.with_name(f"{take.stem}-refined{take.suffix}")


def write_refined(source: Path, target: Path, found: list[FinalFrame]) -> None:
    """A take with refined people before its end, in place of those of an earlier time. Raises UserError."""

    def becomes(message: Message) -> Iterable[Message]:
        if isinstance(message, TakeEnd):
            return [*found, message]
        return [] if isinstance(message, FinalFrame) and message.refined else [message]

    with TakeReader(source) as reader:
        settings = replace(reader.header.settings, refine_people=True)
        header = replace(reader.header, protocol=PROTOCOL_VERSION, settings=settings)
    rewrite_take(source, target, header, becomes)


def _found(options: argparse.Namespace, target: Path) -> list[FinalFrame]:
    """The refined people. Raises UserError."""
    tell = (lambda _: None) if options.quiet else say
    settings: CleanUpSettings = settings_from_options(options, CleanUpSettings, refine=CleanUpSettings.refine)
    with TakeReader(options.take) as reader:
        header = reader.header
    refuse_source(options.take, target)
    refuse_existing(target, options.overwrite)
    refuse_interrupted(target)
    body = _body(header, options.body, tell)
    steps = refined_people(SeenTake.read(options.take, body), body, settings)
    return worked_off(steps, lambda share: tell(f"{share:.0%}"))


def _body(header: TakeHeader, asked: str, tell: Callable[[str], None]) -> BodyModel:
    choice = asked or choose_body_of_take(header, body_path())
    body = BodyModel.load(body_file(choice))
    if warning := warning_about_body(header, choice, body):
        tell(f"note: {warning}")
    return body


def _summary(found: list[FinalFrame]) -> dict[str, Any]:
    people = {int(track) for final in found for track in final.track_id}
    return {"status": "complete", "people": len(people), "frames_changed": len(found)}
