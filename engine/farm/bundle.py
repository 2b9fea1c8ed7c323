# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle: the folder with everything that a farm needs of a job. It appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

from ..contract.errors import UserError
from ..contract.sentences import Sentence
from ..contract.whole_file import explained_write_errors, whole_folder
from . import commands, flamenco, openjd, slurm
from .clips import write_tasks
from .job import LIST, Job

_WRITERS = {"openjd": openjd.write, "slurm": slurm.write, "flamenco": flamenco.write, "commands": commands.write}

NEXT = {
    "openjd": "deadline bundle submit {folder}\nor here: openjd run {folder}/template.yaml "
    "-p file://{folder}/parameters.json --step Report --run-dependencies",
    "slurm": "{folder}/submit.sh",
    "flamenco": "Copy the .js file into the folder scripts beside the Flamenco manager, and submit a job of that type.",
    "commands": "Give the lines of 1-reconstruct.txt to the farm; when all are done 2-scene.txt, then 3-report.txt.",
}
"""What to do with a bundle, by its format."""


def write_bundle(job: Job, folder: Path, overwrite: bool = False) -> None:
    """Write the bundle, and the list of clips beside the takes where the format needs it.

    Raises UserError: ``bundle-exists``, ``bundle-unwritable``, ``disk-full``, and what the writers raise.
    """
    if job.settings.install_engine and (job.settings.format != "openjd" or job.settings.engine):
        raise UserError(
            "bad-setting",
            "Workers install the engine only from a bundle of Open Job Description, and only where none is named.",
            "Leave out --install-engine, or --engine and --format.",
        )
    is_bundle = (folder / LIST).is_file()
    if folder.exists() and not (overwrite and is_bundle) and any(folder.iterdir() if folder.is_dir() else [1]):
        if is_bundle:
            problem, remedy = "The bundle {folder} is there already.", "Give another folder, or --overwrite."
        else:
            problem, remedy = "{folder} is there already, and is no bundle.", "Give another folder."
        raise UserError("bundle-exists", problem, remedy, folder=folder)
    with explained_write_errors(Sentence("The bundle {path} cannot be written", path=folder), "bundle-unwritable"):
        with whole_folder(folder.absolute()) as made:
            write_tasks(made / LIST, job.tasks)
            _WRITERS[job.settings.format](job, made)
        if job.settings.format in ("flamenco", "commands"):
            job.output.mkdir(parents=True, exist_ok=True)
            write_tasks(job.output / LIST, job.tasks)
