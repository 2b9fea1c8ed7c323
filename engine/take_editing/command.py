# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine edit-take`: the people of a take, listed or edited into another take."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from ..contract.errors import UserError
from ..contract.exit_codes import DONE
from ..standard_streams import answer, say, say_error
from .edits import Delete, Edit, Hide, Merge, Moment, Rename, Split, Swap
from .roll import Entry

_EPILOG = """\
A and B are the numbers of people, which `edit-take TAKE.h3r` lists. AT is a footage frame counted from 0 (120), or a
time (4.5s); the edit applies from there on. Edits are made in the order given, and gaps are filled last. A split uses
the next free number: one above the highest that the take has ever had. The take that is read does not change; whatever
no edit touches is copied byte by byte.
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


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command: people on `stdout`, the rest on standard error. Returns the exit code."""
    from ..installed.locations import body_path
    from .editing import FillGaps, edit_take, list_people

    try:
        fill = None if options.fill_gaps is None else FillGaps(options.fill_gaps, options.body, body_path())
        if options.target is None:
            if options.edits or fill:
                raise UserError("no-target", "There are edits, but no take to write them to.", "Give OUT.h3r as well.")
            people, problem = list_people(options.source)
            notes, said = [problem] if problem else [], ""
        else:
            result = edit_take(options.source, options.target, options.edits, fill, options.overwrite)
            people, notes = result.people, result.notes
            bridged = f", gaps filled in {result.bridged} of them" if fill else ""
            said = f"frames changed: {result.changed}{bridged}. Wrote {options.target}"
    except UserError as error:
        return say_error(error)
    for line in [*(f"note: {note}" for note in notes), *([said] if said else [])]:
        say(line)
    text = json.dumps([asdict(entry) for entry in people]) if options.json else _table(people)
    answer(text, stdout)
    return DONE


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
        return Moment(time_s=float(text[:-1])) if text.endswith("s") else Moment(picture=int(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a frame (120) nor a time (4.5s)") from None


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
