# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine edit-take`: the people of a take, listed or edited into another take."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from ..contract.errors import UserError
from ..contract.exit_codes import CANCELLED, DONE
from ..standard_streams import answer, say, say_error
from ..telling import Teller, wait_for_the_end
from .edits import Delete, Edit, Hide, Merge, Moment, Rename, Split, Swap
from .roll import Entry

_EPILOG = """\
A and B are the numbers of people, which `edit-take TAKE.h3r` lists. AT is a footage frame counted from 0 (120), a
time (4.5s), or a frame of the take counted from 0 (#30); the edit applies from there on. Edits are made in the order
given, and gaps are filled last. A split uses the next free number: one above the highest that the take has ever had.
The take that is read does not change; whatever no edit touches is copied byte by byte.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, _EPILOG
    parser.add_argument("source", type=Path, metavar="TAKE.h3r", help="the take to read")
    parser.add_argument(
        "target",
        type=Path,
        nargs="?",
        metavar="OUT.h3r",
        help="where to write the edited take; leave it out to list the people",
    )
    edits = (
        (
            "--merge",
            _merge,
            "A,B[,...]",
            "B and the others become A; in frames that show several of them, the one named first is kept",
        ),
        ("--split", _split, "A@AT", "A becomes a new person from there on"),
        ("--swap", _swap, "A,B@AT", "A and B swap from there on"),
        ("--rename", _rename, "A=NAME", "give A a name"),
        ("--delete", _each(Delete), "A[,...]", "remove people"),
        ("--hide", _each(Hide), "A[,...]", "hide people when the take is imported"),
        ("--show", _each(lambda person: Hide(person, hidden=False)), "A[,...]", "show hidden people again"),
    )
    for option, parse, form, text in edits:
        parser.add_argument(option, dest="edits", action="extend", default=[], type=parse, metavar=form, help=text)
    parser.add_argument(
        "--fill-gaps",
        type=float,
        metavar="SECONDS",
        help="fill gaps up to this long: frames in which a person was not found",
    )
    parser.add_argument(
        "--body",
        default="",
        metavar="FILE",
        help="body for filling gaps: a file (.npz), or mannequin (default: the body of the take, if it is there)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing take")
    parser.add_argument("--json", action="store_true", help="list the people as one line of JSON")
    parser.add_argument("--events", action="store_true", help="write progress and result as JSON, one object a line")
    parser.add_argument(
        "--until-input-ends", action="store_true", help="cancel when standard input ends, as Blender asks for it"
    )


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command: people or events on `stdout`, the rest on standard error. Returns the exit code."""
    from ..interruption import Interrupted, Interruption

    interruption, teller = Interruption(), Teller(stdout, options.events, quiet=True)
    if options.until_input_ends:
        threading.Thread(target=wait_for_the_end, args=(interruption,), name="input", daemon=True).start()
    try:
        with interruption.allowed():
            people, lines = _work(options, teller)
    except UserError as error:
        teller.event({"event": "error", **error.as_dict()})
        return say_error(error)
    except Interrupted:
        say("Canceled. No take was written.")
        return CANCELLED
    for line in lines:
        say(line)
    teller.event({"status": "complete", "people": [asdict(entry) for entry in people], "notes": lines})
    if not options.events:
        text = json.dumps([asdict(entry) for entry in people]) if options.json else _table(people)
        answer(text, stdout)
    return DONE


def _work(options: argparse.Namespace, teller: Teller) -> tuple[list[Entry], list[str]]:
    """The people who are there in the end, and what is to be said. Raises UserError."""
    from ..installed.locations import body_path
    from .editing import FillGaps, edit_take, list_people

    fill = None if options.fill_gaps is None else FillGaps(options.fill_gaps, options.body, body_path())
    if options.target is None:
        if options.edits or fill:
            raise UserError("no-target", "There are edits, but no take to write them to.", "Give OUT.h3r as well.")
        people, problem = list_people(options.source)
        return people, [f"note: {problem}"] if problem else []

    def tell(done: int, total: int) -> None:
        teller.tell("Writing the take", done, total)

    result = edit_take(options.source, options.target, options.edits, fill, options.overwrite, tell)
    bridged = f", gaps filled in {result.bridged} of them" if fill else ""
    wrote = f"frames changed: {result.changed}{bridged}. Wrote {options.target}"
    return result.people, [*(f"note: {note}" for note in result.notes), wrote]


def _table(people: list[Entry]) -> str:
    rows = [("number", "name", "frames", "from", "to", "longest gap", "")]
    rows += [
        (
            str(entry.person),
            entry.name,
            str(entry.pictures),
            f"{entry.first_picture} ({entry.first_s:.2f} s)",
            f"{entry.last_picture} ({entry.last_s:.2f} s)",
            f"{entry.longest_gap_s:.2f} s",
            "hidden" if entry.hidden else "",
        )
        for entry in people
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _number(text: str) -> int:
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a person")
    return int(text)


def _moment(text: str) -> Moment:
    try:
        if text.startswith("#"):
            return Moment(row=int(text[1:]))
        return Moment(time_s=float(text[:-1])) if text.endswith("s") else Moment(picture=int(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a frame of the footage (120), nor a time (4.5s), nor a frame of the take (#30)"
        ) from None


def _merge(text: str) -> list[Edit]:
    into, *others = map(_number, text.split(","))
    if not others:
        raise argparse.ArgumentTypeError(f"{text!r} names only one person")
    return [Merge(into, tuple(others))]


def _split(text: str) -> list[Edit]:
    person, _, moment = text.partition("@")
    return [Split(_number(person), _moment(moment))]


def _swap(text: str) -> list[Edit]:
    people, _, moment = text.partition("@")
    numbers = [_number(one) for one in people.split(",")]
    if len(numbers) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} does not name two people")
    return [Swap(numbers[0], numbers[1], _moment(moment))]


def _rename(text: str) -> list[Edit]:
    person, _, name = text.partition("=")
    return [Rename(_number(person), name)]


def _each(edit: Callable[[int], Edit]) -> Callable[[str], list[Edit]]:
    return lambda text: [edit(_number(one)) for one in text.split(",")]
