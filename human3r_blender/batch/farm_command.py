# SPDX-License-Identifier: GPL-3.0-or-later
"""``human3r farm VIDEO... --bundle FOLDER``: a job for a render farm, with all options of convert."""

from __future__ import annotations

import argparse
import sys

from ...engine.contract.arguments import add_setting_options, settings_from_options
from ...engine.contract.sentences import printable
from ...engine.farm.arguments import add_farm_arguments, write
from ...engine.farm.words import Words, words_of_options
from ..scene.import_options import ImportOptions
from ..sections.export import command_line as exports
from ..sections.retarget import command_line as retargeting
from .interruption import Interruption


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of the job, of the captures, and of the scenes."""
    add_farm_arguments(command)
    command.add_argument("--overwrite", action="store_true", help="replace a bundle that is there already")
    _add_scene_arguments(command)


def run(options: argparse.Namespace, interrupted: Interruption) -> list[object]:
    """Write the bundle. Raises :class:`~..engine.contract.errors.UserError`."""
    print(printable(write(options, *_scene_words(options))), file=sys.stderr, flush=True)
    return []


def _add_scene_arguments(parser: argparse.ArgumentParser) -> None:
    add_setting_options(parser, ImportOptions, title="import settings", leave_out=("body_path",))
    retargeting.add_arguments(parser)
    exports.add_arguments(parser)


def _scene_words(options: argparse.Namespace) -> Words:
    """The options of the scenes that were given; wrong ones are told here, and not by every worker."""
    settings_from_options(options, ImportOptions, body_path=options.body)
    retargeting.check(options)
    exports.check(options, ())
    parser = argparse.ArgumentParser(add_help=False)
    _add_scene_arguments(parser)
    return words_of_options(parser, options)
