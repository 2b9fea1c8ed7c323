# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as Slurm arrays: a script for each step, and one that submits them in their order.

Scripts read no clip's name: the engine takes its task out of ``clips.json`` by the number that Slurm gives. What is
written into them is quoted, and the names of takes are made of letters, digits and ``-_.`` alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from .job import ENGINE_FOLDER, FOLDER_VARIABLE, LIST, PYTHON_VARIABLE, Job

MOST_TASKS = 1000
"""Of an array: Slurm's own limit (MaxArraySize 1001) where nobody has raised it."""

NAMES = "names.txt"
"""The takes' names, one a line, for the scenes."""

_SIGNAL_S = 60
"""Before the end of a job's time, the engine is asked to save."""


def write(job: Job, folder: Path) -> None:
    """Write the scripts. Raises OSError."""
    _write(folder / "reconstruct.sbatch", _head(job, "reconstruct", job.settings.gpu), _reconstruct(job))
    (folder / NAMES).write_text("".join(f"{clip.name}\n" for clip in job.clips), encoding="utf-8")
    if job.settings.scene:
        _write(folder / "scene.sbatch", _head(job, "scene"), _scene(job))
    report = _engine(job, job.report_words(LIST, str(job.output)))
    _write(folder / "report.sbatch", _head(job, "report"), [*_places(job), f"exec {report}"])
    _write(folder / "submit.sh", ["#!/bin/sh"], _submit(job))
    (folder / "submit.sh").chmod(0o755)


def _write(path: Path, head: Sequence[str], body: Sequence[str]) -> None:
    path.write_text("\n".join([*head, "set -eu", *body]) + "\n", encoding="utf-8", newline="\n")


def _head(job: Job, step: str, gpu: bool = False) -> list[str]:
    """What Slurm reads of a script. The signal goes to the script's own process, which the engine has become."""
    options = [
        f"--job-name={job.name}-{step}",
        "--requeue",
        "--open-mode=append",
        f"--signal=B:TERM@{_SIGNAL_S}",
        f"--output={step}-%A_%a.log" if step != "report" else "--output=report-%j.log",
        *(["--gres=gpu:1"] if gpu else []),
    ]
    return ["#!/bin/bash", *(f"#SBATCH {option}" for option in options)]


def _places(job: Job) -> list[str]:
    """Where the engine is, by the job or by the worker's variables."""
    if job.settings.engine:
        return [f"python={shlex.quote(job.settings.engine)}", f"export PYTHONPATH={shlex.quote(str(ENGINE_FOLDER))}"]
    return [
        f'python="${{{PYTHON_VARIABLE}:?Set it to the Python of the engine}}"',
        f'export PYTHONPATH="${{{FOLDER_VARIABLE}:?Set it to the folder of the extension}}"',
    ]


def _engine(job: Job, words: Sequence[str]) -> str:
    return f'"$python" -m engine {shlex.join(words)}'


def _reconstruct(job: Job) -> list[str]:
    words = ["farm-task", "--list", LIST, "--output", str(job.output), *job.task_words("plain")]
    return [*_places(job), f'exec {_engine(job, words)} --item "$((OFFSET + SLURM_ARRAY_TASK_ID))"']


def _scene(job: Job) -> list[str]:
    words = job.import_words("TAKE", "BLEND")
    quoted = {"TAKE": '"$output/$name.h3r"', "BLEND": '"$output/$name.blend"'}
    command = " ".join(quoted.get(word, shlex.quote(word)) for word in words)
    return [
        f"output={shlex.quote(str(job.output))}",
        f'name=$(sed -n "$((OFFSET + SLURM_ARRAY_TASK_ID + 1))p" {NAMES})',
        f"exec {shlex.quote(job.settings.blender)} {command}",
    ]


def _submit(job: Job) -> list[str]:
    lines = [
        "# Submits all steps. Options of sbatch for each of them go into the variable SBATCH_OPTIONS.",
        'here=$(cd "$(dirname "$0")" && pwd)',
        "# script, the first task's number, the array's last index, dependency",
        'submitted() { sbatch ${SBATCH_OPTIONS-} --parsable --chdir="$here" --export="ALL,OFFSET=$2" $3 $4 "$here/$1" '
        "| cut -d ';' -f 1; }",
        "after=--dependency=afterany",
        *_arrays("reconstruct", len(job.tasks), "''"),
    ]
    if job.settings.scene:
        lines += ["before=$after", "after=--dependency=afterany", *_arrays("scene", len(job.clips), '"$before"')]
    return [*lines, "submitted report.sbatch 0 '' \"$after\""]


def _arrays(step: str, count: int, dependency: str) -> list[str]:
    return [
        f'after="$after:$(submitted {step}.sbatch {start} --array=0-{min(count - start, MOST_TASKS) - 1} {dependency})"'
        for start in range(0, count, MOST_TASKS)
    ]
