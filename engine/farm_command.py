# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine farm CLIPS... --bundle FOLDER`: a job for a render farm, written without Blender."""

from __future__ import annotations

import argparse
from typing import BinaryIO

from .contract.errors import UserError
from .contract.exit_codes import DONE, EXPLANATION
from .farm.arguments import add_farm_arguments, write
from .standard_streams import say, say_error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = f"{EXPLANATION} The same as human3r farm in Blender, which checks the options of scenes, too."
    add_farm_arguments(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace a bundle that is there already")
    parser.add_argument(
        "--scene-options",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="OPTION",
        help="options of human3r import for the scenes, such as --clean 0.5 --export fbx; the last ones on the line",
    )


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command. Returns the exit code."""
    try:
        say(write(options, options.scene_options))
    except UserError as error:
        return say_error(error)
    return DONE
