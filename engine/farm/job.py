# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: its clips as tasks, and the command lines of its three steps, before they take the form of a farm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..contract.errors import UserError
from .clips import Clip, Task, safe_name
from .settings import FarmSettings

LIST = "clips.json"
"""The list of clips in every bundle."""

ENGINE_FOLDER = Path(__file__).resolve().parents[2]
"""The folder that the engine lies in: the extension, or a checkout."""

PYTHON_VARIABLE, FOLDER_VARIABLE = "HUMAN3R_ENGINE_PYTHON", "HUMAN3R_ENGINE_FOLDER"
"""What names the engine on a worker where the job does not."""


@dataclass(frozen=True)
class Job:
    """Everything that a bundle is written of."""

    name: str
    tasks: tuple[Task, ...]
    output: Path
    """Absolute."""
    settings: FarmSettings
    capture_words: tuple[str, ...] = ()
    """Options of ``engine farm-task`` for all clips."""
    scene_words: tuple[str, ...] = ()
    """Options of ``human3r import`` for all takes."""
    files: frozenset[str] = frozenset()
    """Those of the words that are files on this computer: a body, a character."""

    @property
    def clips(self) -> list[Clip]:
        return [clip for task in self.tasks for clip in task]

    @property
    def start_file(self) -> str:
        """What starts the engine without any variable: a Python runs this file."""
        return str(ENGINE_FOLDER / "engine" / "farm" / "start.py")

    def task_words(self, progress: str) -> list[str]:
        """The options of a task, whatever its clips."""
        gpu = ["--require-gpu"] if self.settings.gpu else []
        return ["--progress", progress, "--keep-going", *gpu, *self.capture_words]

    def report_words(self, clips: str, output: str) -> list[str]:
        """The command of the report, from the engine's own words on."""
        return ["farm-report", "--list", clips, "--output", output, *(["--scene"] if self.settings.scene else [])]

    def import_words(self, take: str, blend: str) -> list[str]:
        """The command of a scene, behind Blender's name."""
        command = ["--background", "--command", "human3r", "import", take, "--output", blend]
        return [*command, "--overwrite", "--skip-missing", *self.scene_words]


def make_job(
    tasks: Sequence[Task],
    bundle: Path,
    settings: FarmSettings,
    capture_words: Sequence[str] = (),
    scene_words: Sequence[str] = (),
    files: Sequence[str] = (),
) -> Job:
    """The job of a bundle. Raises UserError (``bad-name``, ``bad-setting``) for what no farm could pass on."""
    beside = bundle.absolute()
    output = Path(settings.output).absolute() if settings.output else beside.with_name(f"{beside.name}-output")
    job = Job(
        safe_name(bundle.absolute().name), tuple(tasks), output, settings, tuple(capture_words), tuple(scene_words),
        frozenset(files),
    )  # fmt: skip
    for word in (str(output), settings.engine, settings.blender, *capture_words, *scene_words):
        if word and not word.isprintable():
            raise UserError(
                "bad-name",
                "{word} has a line break or another character that farms cannot pass on.",
                "Give another name.",
                word=ascii(word),
            )
    return job
