# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as lists of commands, one a line: for OpenCue's ``cuecmd``, RoyalRender, Tractor, GNU parallel, or a loop.

Many of these run a line by a shell. No clip's name is in them: the engine takes its task out of ``clips.json``.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from ..contract.errors import UserError
from .job import LIST, Job


def write(job: Job, folder: Path) -> None:
    """Write a list for each step; the commands of one may run in any order. Raises UserError (``engine-needed``)."""
    if not job.settings.engine:
        raise UserError(
            "engine-needed",
            "A list of commands needs to know where the engine is on the workers.",
            "Give --engine with the path of its Python.",
        )
    # The list lies beside the takes too, so that the bundle need not be where the workers are.
    clips, output = str(job.output / LIST), str(job.output)
    task = ["farm-task", "--list", clips, "--output", output, *job.task_words("plain"), "--item"]
    _write(folder / "1-reconstruct.txt", [_engine(job, [*task, str(number)]) for number in range(len(job.tasks))])
    if job.settings.scene:
        scenes = [
            [job.settings.blender, *job.import_words(f"{output}/{clip.name}.h3r", f"{output}/{clip.name}.blend")]
            for clip in job.clips
        ]
        _write(folder / "2-scene.txt", scenes)
    _write(folder / "3-report.txt", [_engine(job, job.report_words(clips, output))])


def _engine(job: Job, words: Sequence[str]) -> list[str]:
    return [job.settings.engine, job.start_file, *words]


def _write(path: Path, commands: Sequence[Sequence[str]]) -> None:
    path.write_text("".join(f"{shlex.join(command)}\n" for command in commands), encoding="utf-8", newline="\n")
