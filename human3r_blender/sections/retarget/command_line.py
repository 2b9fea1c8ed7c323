# SPDX-License-Identifier: GPL-3.0-or-later
"""Retargeting from the command line: ``--retarget-to RIG.blend --preset NAME`` after ``convert`` and ``import``; and
``retarget``, for .blend files that there are already.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import bpy

from ....engine.contract.arguments import add_setting_options, settings_from_options
from ....engine.contract.errors import UserError
from ....engine.contract.terminal import say
from ....engine.installed.locations import rig_presets_folder
from ...rigs import presets
from .character_files import named, people, retarget_file
from .settings import RetargetSettings
from .verification import Report

_PREFIX = "retarget_"


def add_arguments(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """Add the options of retargeting; those of its settings begin with ``--retarget-``."""
    group = parser.add_argument_group("retargeting")
    group.add_argument(
        "--retarget-to",
        type=Path,
        metavar="RIG.blend",
        required=required,
        help="put the motion of every person on a character of its own, from this file",
    )
    group.add_argument(
        "--preset",
        default="",
        metavar="NAME",
        help=f"rig preset of the character: {', '.join(presets.find_all()[0])}, or one of your own "
        "(default: the one that fits; if none fits, go by bone names)",
    )
    group.add_argument(
        "--retarget-link",
        action="store_true",
        help="link the character with a library override instead of appending it",
    )
    group.add_argument(
        "--retarget-armature",
        default="",
        metavar="NAME",
        help="the armature to use, in a file with several (default: the one most like a known rig)",
    )
    # poses are matched by hand
    add_setting_options(parser, RetargetSettings, "retarget settings", ("calibration",), _PREFIX)


def check(options: argparse.Namespace) -> None:
    """Find out before the work begins what would stop it at its end. Raises UserError."""
    if options.retarget_to is None:
        return
    if not options.retarget_to.is_file():
        raise UserError(
            "character-unreadable",
            "There is no character file {path}.",
            "Give a .blend file with a rigged character.",
            path=options.retarget_to,
        )
    known, problems = presets.find_all(rig_presets_folder())
    for problem in problems:
        say(f"Note: {problem.message}")
    if options.preset:
        named(known, options.preset)
    _settings(options)


def open_scene(path: Path) -> bpy.types.Scene:
    """The scene of a .blend file with people in it. Raises UserError (``scene-unreadable``, ``scene-without-people``).

    No script in the file runs. Its paths become absolute, for it is saved elsewhere.
    """
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise UserError(
            "scene-unreadable",
            "{path} cannot be opened: {error}",
            "Give a .blend file that this Blender can open.",
            path=path,
            error=error,
        ) from error
    bpy.ops.file.make_paths_absolute()
    scene = bpy.context.scene
    if not people(scene):
        raise UserError(
            "scene-without-people",
            "There are no Human3R people in {name}.",
            "Give a .blend file made by convert or import.",
            name=path.name,
        )
    return scene


def run(options: argparse.Namespace, scene: bpy.types.Scene, label: str) -> list[Report]:
    """Retarget what is in the scene, if that was asked for; a report for each person. Raises UserError."""
    if options.retarget_to is None:
        return []
    reports = retarget_file(
        scene,
        options.retarget_to.absolute(),
        options.preset,
        _settings(options),
        options.retarget_link,
        options.retarget_armature,
    )
    for line in [str(report.describe()) for report in reports] or ["There are no people to retarget."]:
        say(f"{label}: {line}")
    return reports


def failure(reports: Sequence[Report]) -> UserError | None:
    """The first character that is wrong, as an error; None where all are right."""
    return next((error for report in reports if (error := report.failure()) is not None), None)


def _settings(options: argparse.Namespace) -> RetargetSettings:
    return settings_from_options(options, RetargetSettings, _PREFIX, calibration=RetargetSettings.calibration)
