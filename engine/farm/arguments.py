# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line that writes a bundle, the same for Blender (``human3r farm``) and for the engine."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..contract.arguments import add_setting_options, settings_from_options
from ..contract.errors import UserError
from ..contract.settings import CaptureSettings
from .bundle import NEXT, write_bundle
from .clips import clips_of, grouped
from .job import Job, make_job
from .settings import FarmSettings
from .words import Words, words_of_options


def add_farm_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare clips, bundle and the job's settings, and those of the captures."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="CLIP",
        help="video, folder of videos, folder of images, or image-sequence pattern",
    )
    parser.add_argument("--bundle", required=True, type=Path, metavar="FOLDER", help="where to write the job")
    add_setting_options(parser, FarmSettings, "job")
    add_setting_options(parser)


def write(options: argparse.Namespace, scene_words: Sequence[str] = (), scene_files: Sequence[str] = ()) -> str:
    """Write the bundle of a command line; what to do with it, as a text. Raises UserError."""
    settings = settings_from_options(options, FarmSettings)
    if scene_words and not settings.scene:
        raise UserError(
            "bad-setting", "There are options for scenes, but no scenes are made.", "Give --scene, or leave them out."
        )
    words, files = capture_words(options)
    tasks = grouped(clips_of(options.sources), settings.clips_per_task)
    job = make_job(tasks, options.bundle, settings, words, scene_words, (*files, *scene_files))
    write_bundle(job, options.bundle, options.overwrite)
    return described(job, options.bundle)


def described(job: Job, bundle: Path) -> str:
    """What was written, and what to do with it."""
    next_step = NEXT[job.settings.format].format(folder=bundle)
    return f"{len(job.clips)} clips in {len(job.tasks)} tasks are in {bundle}. Next:\n{next_step}"


def capture_words(options: argparse.Namespace) -> Words:
    """The options of the captures that were given. Raises UserError (``bad-setting``) as the captures would."""
    settings_from_options(options, CaptureSettings, source="clip", take="take")
    parser = argparse.ArgumentParser(add_help=False)
    add_setting_options(parser)
    return words_of_options(parser, options)
