# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: ``blender --background --command human3r convert VIDEO --output OUT.blend``.

The same :func:`main` runs without a Blender program, through the ``bpy`` wheel, and without the add-on being enabled.
Progress goes to standard error. Exit codes: :mod:`engine.contract.exit_codes`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ...engine.contract import logs
from ...engine.contract.arguments import add_setting_options
from ...engine.contract.errors import UserError
from ...engine.contract.exit_codes import CANCELLED, DONE, FAILED
from ...engine.contract.help_texts import add_examples
from ..capture import session as sessions
from ..report import diagnostics
from ..scene.import_options import ImportOptions
from ..scene.motion_files.options import MotionOptions
from ..sections.export import command_line as exports
from ..sections.retarget import command_line as retargeting
from . import conversions, engine_command, farm_command
from .interruption import interruption
from .jobs import print_error, say_end, write_summary


def main(arguments: Sequence[str]) -> int:
    """Run one command (``convert ...`` or ``import ...``). Returns the exit code; raises nothing that a user causes."""
    try:
        options = _parser().parse_args(list(arguments))
    except SystemExit as stop:
        return int(stop.code or 0)
    logs.set_up()
    try:
        with interruption() as interrupted:
            results = options.run(options, interrupted)
        if options.json:
            write_summary(options.json, results)
        say_end(results)
    except UserError as error:
        print_error(error)
        return FAILED
    except KeyboardInterrupt:
        return CANCELLED
    finally:
        sessions.forget()
    if interrupted.requested:
        return CANCELLED
    return DONE if all(result.error is None for result in results) else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="human3r", description="Convert videos to .blend files.")
    add_examples(
        parser,
        "blender --background --command human3r convert shot.mp4 --output shot.blend",
        "blender --background --command human3r COMMAND --help",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    convert = commands.add_parser("convert", help="convert videos to .blend files")
    add_examples(
        convert,
        "human3r convert shot.mp4 --output shot.blend",
        "human3r convert shot.mp4 --output shot.blend --start 100 --end 400 --quality best",
        "human3r convert shot.%04d.png --frame-rate 25 --output shot.blend --take shot.h3r",
        "human3r convert videos/ --output scenes/ --resume",
        "human3r convert shot.mp4 --output shot.blend --export fbx,usd",
    )
    convert.add_argument(
        "sources",
        nargs="+",
        metavar="VIDEO",
        help="video, folder of videos, folder of images, or image-sequence pattern",
    )
    convert.add_argument(
        "--take",
        type=Path,
        metavar="PATH",
        help="keep the take: a .h3r file, or a folder for several videos (default: a temporary file "
        "beside the output, kept only when the conversion fails)",
    )
    convert.add_argument(
        "--engine-python",
        default="",
        metavar="PATH",
        help="Python of the engine's environment (default: the one in the add-on's preferences, then in "
        "the environment variable HUMAN3R_ENGINE_PYTHON, then the installed engine's)",
    )
    convert.add_argument(
        "--resume",
        action="store_true",
        help="go on where an earlier run stopped: .blend files that are there stay, interrupted takes (of --take, "
        "or kept beside the output) are continued with the settings that they were begun with; the rest begins",
    )
    add_setting_options(convert)
    convert.set_defaults(run=conversions.convert)
    importing = commands.add_parser("import", help="convert takes and motions to .blend files, without the engine")
    add_examples(
        importing,
        "human3r import shot.h3r --output shot.blend",
        "human3r import takes/ --output scenes/ --no-import-points",
        "human3r import motion.npz --output motion.blend --up-axis y",
    )
    importing.add_argument(
        "sources",
        nargs="+",
        metavar="TAKE",
        help="take (.h3r); or motion: a file with SMPL-X, SMPL-H or SMPL poses (.npz), or the results of GVHMR, WHAM, "
        "4D-Humans, TRAM, PromptHMR or Human3R; or a folder of takes, or else of motions",
    )
    add_setting_options(importing, MotionOptions, title="motion files")
    importing.add_argument(
        "--skip-missing",
        action="store_true",
        help="leave out takes that are not there or not complete, instead of failing, as jobs on a farm want it",
    )
    importing.set_defaults(run=conversions.import_takes)
    retarget = commands.add_parser("retarget", help="retarget people in .blend files to characters")
    add_examples(retarget, "human3r retarget shot.blend --output hero.blend --retarget-to hero.blend")
    retarget.add_argument("sources", nargs="+", metavar="BLEND", help=".blend file with people, or a folder of them")
    retarget.set_defaults(run=conversions.retarget)
    for command in (convert, importing, retarget):
        command.add_argument(
            "--output",
            required=True,
            type=Path,
            metavar="PATH",
            help=".blend file; for several sources, a folder",
        )
        command.add_argument("--overwrite", action="store_true", help="replace existing .blend files")
        command.add_argument(
            "--json",
            metavar="FILE",
            help="write a summary as JSON; - for standard output, where Blender also prints its own lines",
        )
        if command is not retarget:
            add_setting_options(command, ImportOptions, title="import settings", leave_out=("body_path",))
        retargeting.add_arguments(command, required=command is retarget)
        exports.add_arguments(command)
    farm = commands.add_parser("farm", help="write a job for a render farm: many videos become takes and .blend files")
    farm_command.add_arguments(farm)
    farm.set_defaults(run=farm_command.run, json=None)
    engine = commands.add_parser(
        "install-engine", help="install, repair, update or remove the engine's Python environment"
    )
    add_examples(
        engine,
        "blender --background --online-mode --command human3r install-engine          (only says what it would do)",
        "blender --background --online-mode --command human3r install-engine --yes",
        "blender --background --command human3r install-engine --status",
    )
    engine_command.add_arguments(engine)
    engine.set_defaults(run=engine_command.run)
    reporting = commands.add_parser("diagnostics", help="print a report on this installation, with names removed")
    reporting.set_defaults(run=diagnostics.run, json=None)
    importing.add_argument(
        "--body",
        default="",
        metavar="PATH",
        help="SMPL-X body file (.npz), or the word mannequin (default: the body that the take was made with)",
    )
    return parser
