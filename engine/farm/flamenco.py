# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as a job type of Flamenco, Blender's own farm: a script with the clips in it, for the manager's folder scripts.

Flamenco's command ``exec`` starts a program with a list of arguments; there is no shell that could read a name.
"""

from __future__ import annotations

import json
from pathlib import Path

from .job import LIST, Job

PYTHON, FOLDER = "{human3r_python}", "{human3r_folder}"
"""Variables of the manager's configuration that name the engine, where the job does not."""

_SCRIPT = Path(__file__).with_name("flamenco_job.js")


def write(job: Job, folder: Path) -> None:
    """Write the job type ``human3r_NAME.js``. Raises OSError."""
    script = _SCRIPT.read_text(encoding="utf-8").replace("/*JOB*/ {}", json.dumps(_content(job), indent=1))
    (folder / f"human3r_{job.name}.js").write_text(script, encoding="utf-8")


def _content(job: Job) -> dict[str, object]:
    """What the script knows of the job, in ASCII: every other sign is escaped."""
    start = job.start_file if job.settings.engine else f"{FOLDER}/engine/farm/start.py"
    return {
        "label": f"Human3R: {job.name}",
        "python": job.settings.engine or PYTHON,
        "start": start,
        "output": str(job.output),
        "blender": job.settings.blender,
        "tasks": [[[clip.source, clip.name] for clip in task] for task in job.tasks],
        "taskWords": job.task_words("flamenco"),
        "importWords": job.import_words("TAKE", "BLEND") if job.settings.scene else None,
        "reportWords": job.report_words(LIST, "OUTPUT"),
        "clipsFile": str(job.output / LIST),
    }
