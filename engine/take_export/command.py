# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine export TAKE.h3r --output FOLDER`: a take for other programs."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Any, BinaryIO

from ..contract.arguments import add_setting_options, settings_from_options
from ..contract.errors import UserError
from ..contract.exit_codes import CANCELLED, DONE, EXPLANATION
from ..contract.take_export import PRODUCTS, TakeExportSettings
from ..standard_streams import say, say_error
from ..telling import Teller, wait_for_the_end


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"{EXPLANATION} What is written lies in FOLDER and is called after the take: TAKE-colmap, TAKE.ply, "
        "TAKE-points, TAKE-depth, TAKE-masks. Each of them appears whole or not at all."
    )
    parser.add_argument("take", type=Path, metavar="TAKE.h3r", help="the take")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="where to write")
    parser.add_argument("--name", default="", help="what files and folders are called (default: as the take)")
    for name, (_, text) in PRODUCTS.items():
        parser.add_argument(f"--{name}", dest="products", action="append_const", const=name, help=text)
    add_setting_options(parser, TakeExportSettings, "export settings")
    parser.add_argument(
        "--world-matrix",
        type=_numbers,
        metavar='"16 NUMBERS"',
        help="matrix from the take's world to the exported one, row by row (default: the take's own world, which is "
        "its first camera: x right, y down, z ahead)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what an earlier export has written")
    parser.add_argument("--json", action="store_true", help="write progress and result as JSON, one object a line")
    parser.add_argument("--quiet", action="store_true", help="no progress lines on standard error")
    parser.add_argument(
        "--until-input-ends", action="store_true", help="cancel when standard input ends, as Blender asks for it"
    )


def _numbers(text: str) -> list[float]:
    """One text and not 16 options: of those argparse takes -1e-9 for the name of one."""
    try:
        found = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        found = []
    if len(found) != 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not 16 numbers")
    return found


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; events go to `stdout`, lines to standard error. Returns the exit code."""
    from ..interruption import Interrupted, Interruption

    interruption, teller = Interruption(), Teller(stdout, options.json, options.quiet)
    if options.until_input_ends:
        threading.Thread(target=wait_for_the_end, args=(interruption,), name="input", daemon=True).start()
    try:
        with interruption.allowed():
            written = _export(options, teller)
    except UserError as error:
        teller.event({"event": "error", **error.as_dict()})
        return say_error(error)
    except Interrupted:
        say("Canceled. What was not complete is not there.")
        return CANCELLED
    for line in (*(f"note: {note}" for note in written.notes), *(f"Wrote {path}" for path in written.paths)):
        say(line)
    teller.event({"status": "complete", "files": list(map(str, written.paths)), "notes": list(written.notes)})
    return DONE


def _export(options: argparse.Namespace, teller: Teller) -> Any:
    """What was written. Raises UserError."""
    settings = settings_from_options(options, TakeExportSettings)
    if not options.products:
        raise UserError(
            "nothing-asked",
            "Nothing was asked for.",
            "Give one or more of {options}.",
            options=", ".join(f"--{name}" for name in PRODUCTS),
        )
    # Here, so that --help and wrong options do not wait for OpenCV.
    from .exporting import Request, export_take
    from .world import World

    request = Request(
        take=options.take,
        products=tuple(dict.fromkeys(options.products)),
        folder=options.output,
        name=options.name or options.take.stem,
        settings=settings,
        world=World.of(options.world_matrix),
        overwrite=options.overwrite,
    )
    return export_take(request, teller.tell)
