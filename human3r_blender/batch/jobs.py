# SPDX-License-Identifier: GPL-3.0-or-later
"""Many files one after the other: one that fails is told, and the next one still runs."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import bpy

from ...engine.contract.errors import UserError
from ...engine.contract.logs import log
from ...engine.contract.sentences import Sentence
from ...engine.contract.terminal import answer, say
from ...engine.contract.whole_file import explained_write_errors
from ..capture.session import Session, describe_camera
from ..scene import ground_alignment, scale
from ..sections.retarget.verification import Report
from .interruption import Interruption

PROGRESS_EVERY_S = 1.0


@dataclass
class Result:
    """One line of the summary."""

    source: str
    output: str
    status: str = "skipped"
    """``complete``, ``incomplete`` (a take that was not closed), ``cancelled``, ``failed`` or ``skipped``."""
    take: str | None = None
    """Where the take was left; None when it was temporary and the .blend is written."""
    frames: int = 0
    people: int = 0
    clean: float = 0.0
    """Strength that the people were cleaned up with; 0 for none."""
    place_refined: bool = False
    """Whether all of them were refined in place, too: not without the take's camera in the scene."""
    seconds: float = 0.0
    note: str = ""
    camera: str = ""
    """``still``, ``turning`` or ``moving``; empty where nobody looked."""
    camera_refined: bool = False
    """Whether the final pass found a better camera path than the live one."""
    camera_note: str = ""
    """What the final pass has to say about the camera."""
    ground: dict[str, object] | None = None
    """What the take stands on: ``floor`` (what it was found from; empty without), ``scale`` (what that rests on; empty
    where nothing tells) and ``evidence`` (the fields of ``engine.motion.ground_evidence.GroundEvidence``); null
    for motion files."""
    characters: list[Report] = field(default_factory=list)
    """What ``--retarget-to`` made of each person."""
    exports: list[str] = field(default_factory=list)
    """The files that ``--export`` wrote."""
    export_notes: list[str] = field(default_factory=list)
    """What these cannot show."""
    error: dict[str, str] | None = None
    """``code``, ``message`` and ``remedy`` of what went wrong."""


@dataclass(frozen=True)
class Job:
    """One file to make of another."""

    source: str
    output: Path
    result: Result
    label: str
    """What its lines on standard error begin with."""
    interrupted: Interruption

    def say(self, text: str) -> None:
        """A line for whoever watches."""
        say(f"{self.label}: {text}")

    def fail(self, error: UserError) -> None:
        """Tell and note what is wrong with a file that is made all the same."""
        self.result.error = error.as_fields()
        print_error(error, f"{self.label}: ")


def run_jobs(
    planned: Sequence[tuple[str, Path]],
    interrupted: Interruption,
    work: Callable[[Job], None],
    check: Callable[[str], None] = lambda source: None,
) -> list[Result]:
    """Check all sources, then do the work for each source and output; after a request to stop, the rest is skipped.

    `check` raises UserError for a source that nothing can be done with.
    """
    jobs = [
        Job(source, output, Result(source, str(output)), f"[{number}/{len(planned)}] {Path(source).name}", interrupted)
        for number, (source, output) in enumerate(planned, 1)
    ]
    for job in jobs:
        with _reported(job):
            _check_name(job.source)
            check(job.source)
    for job in jobs:
        if not interrupted.requested and job.result.error is None:
            with _reported(job):
                work(job)
    return [job.result for job in jobs]


def refuse_jobs(planned: Sequence[tuple[str, Path]], error: UserError) -> list[Result]:
    """Nothing was begun, for a reason that all share: told once, and noted for each."""
    print_error(error)
    return [Result(source, str(output), "failed", error=error.as_fields()) for source, output in planned]


def say_end(results: Sequence[object]) -> None:
    """The last line: what there is now, and where."""
    done = [result for result in results if isinstance(result, Result) and result.error is None and result.frames]
    if not done:
        return
    people, frames = sum(result.people for result in done), sum(result.frames for result in done)
    place = done[0].output if len(done) == 1 else f"{len(done)} files in {Path(done[0].output).parent}"
    counted = "1 person" if people == 1 else f"{people} people"
    say(f"{counted}, {frames} frames: {place}")


@contextlib.contextmanager
def _reported(job: Job) -> Iterator[None]:
    """Time one job and note its failure, so that the next one still runs."""
    started = time.monotonic()
    try:
        yield
    except UserError as error:
        _note_failure(job, error)
    except Exception as error:  # a fault of ours: the other jobs still run
        _note_failure(job, _unexpected(error))
    job.result.seconds = round(time.monotonic() - started, 3)


def _check_name(source: str) -> None:
    """Raises UserError (``bad-name``) for names that are no text, which Linux allows and Blender does not."""
    try:
        source.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(
            "bad-name",
            "The name {name} has characters that Blender cannot use.",
            "Rename the file.",
            name=ascii(Path(source).name),
        ) from error


def _note_failure(job: Job, error: UserError) -> None:
    job.result.status, job.result.error = "failed", error.as_fields()
    print_error(error, f"{job.label}: ")


def _unexpected(error: Exception) -> UserError:
    log.error("a job failed", exc_info=error)
    return UserError(
        "internal-error",
        "It failed with an unexpected error: {name}: {error}.",
        "Run it again with the environment variable HUMAN3R_LOG=debug, and file an issue with what is printed.",
        name=type(error).__name__,
        error=error,
    )


def run_to_end(run: Session, job: Job) -> None:
    """Pump until the run is over. Raises the :class:`UserError` that it ended with."""
    next_line, said = 0.0, ""
    while run.pump_messages(budget_s=0.25, wait_s=0.1):
        if job.interrupted.requested:
            run.cancel(build=False)  # an interrupted conversion writes no .blend
        line = run.progress.describe() if run.progress.phase == "running" else run.progress.text or run.progress.phase
        if line != said and time.monotonic() >= next_line:
            job.say(line)
            next_line, said = time.monotonic() + PROGRESS_EVERY_S, line
    result = job.result
    result.status, result.frames, result.note = run.progress.phase, run.progress.frames_done, run.note
    result.people = run.people_count
    result.camera, result.camera_note = run.motion, run.camera_note
    result.camera_refined = run.camera is not None and run.camera.refined
    if run.builder is not None and run.builder.root is not None:
        result.ground = _ground_of(run.builder.root)
    if run.error is not None:
        raise run.error
    job.say(f"{run.progress.phase}, {run.progress.describe()}" + (f" ({run.note})" if run.note else ""))
    for known in filter(None, (describe_camera(run), run.camera_note)):
        job.say(str(known))


def _ground_of(root: bpy.types.Object) -> dict[str, object]:
    evidence = ground_alignment.evidence_of(root)
    return {
        "floor": str(root.get(ground_alignment.SOURCE, "")),
        "scale": scale.source_of(root),
        "evidence": asdict(evidence) if evidence is not None else None,
    }


def print_error(error: UserError, start: str = "") -> None:
    """An error for whoever watches."""
    say(f"{start}error [{error.code}]: {error.message}\n    {error.remedy}")


def write_summary(where: str, results: list[Result]) -> None:
    """All results as JSON, into a file or to standard output (``-``). Raises UserError (``summary-unwritable``)."""
    text = json.dumps({"results": [asdict(result) for result in results]}, indent=2)
    if where == "-":
        answer(text)
        return
    with explained_write_errors(Sentence("The summary {path} cannot be written", path=where), "summary-unwritable"):
        Path(where).write_text(text + "\n", encoding="utf-8")  # in place, for it may be a pipe
