# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command line makes .blend files of: videos, takes and motions, and .blend files with people."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

import bpy

from ...engine.contract.arguments import given_settings, settings_from_options
from ...engine.contract.body_choice import MANNEQUIN
from ...engine.contract.media import VIDEO_SUFFIXES
from ...engine.contract.sentences import Sentence
from ...engine.contract.settings import OURS
from ...engine.contract.take import begun_settings
from ...engine.contract.whole_file import explained_write_errors, whole_file
from ...engine.installed import registry
from ..capture import session as sessions
from ..person import selection, versions
from ..scene.builder import ImportOptions
from ..scene.motion_files.importing import import_motion
from ..scene.motion_files.options import MotionOptions
from ..scene.motion_files.reading import is_motion, sources_in
from ..sections.export import command_line as exports
from ..sections.retarget import command_line as retargeting
from ..setup import choices
from . import camera_option, checks, resuming
from .interruption import Interruption
from .jobs import Job, Result, refuse_jobs, run_jobs, run_to_end
from .paths import find_sources, plan_outputs

Planned = list[tuple[str, Path]]


def convert(options: argparse.Namespace, interrupted: Interruption) -> list[Result]:
    """Videos become .blend files. Raises UserError for what is wrong with all of them."""
    planned = _plan(options, VIDEO_SUFFIXES)
    if problem := checks.problem_of_all(options):
        return refuse_jobs(planned, problem)
    import_options = _import_options(options)
    takes: dict[Path, Path] = {}
    if options.take:
        replaces = options.overwrite or options.resume
        wanted = plan_outputs([source for source, _ in planned], options.take, replaces, ".h3r")
        takes = {output: take for (_, output), (_, take) in zip(planned, wanted, strict=True)}

    def work(job: Job) -> None:
        if options.resume and job.output.exists():
            job.result.status, job.result.note = "complete", Sentence("It was there already.")
            job.say(job.result.note)
            return
        with _take(job, takes.get(job.output), options.resume) as take:
            run_to_end(_begun(options, job, take, import_options), job)
            if job.result.status == "complete":
                _finish(options, job, import_options.clean)

    if options.resume:  # what is there already needs no footage
        return run_jobs(planned, interrupted, work)
    return run_jobs(planned, interrupted, work, checks.check_footage)


def _begun(options: argparse.Namespace, job: Job, take: Path, import_options: ImportOptions) -> sessions.Session:
    """A conversion that begins, or that goes on with what there is of its take. Raises :class:`UserError`."""
    engine_python = options.engine_python or choices.chosen().engine_python
    state = resuming.state_of(take) if options.resume else resuming.NOTHING
    if state == resuming.COMPLETE:
        return sessions.start_import(_empty_scene(job.source), take, import_options)
    if state == resuming.INTERRUPTED:
        given = given_settings(options)
        if "model" in given:
            given["model"] = _model(options.model)
        settings = replace(begun_settings(take), **given)
        job.say(f"going on with {take}")
    else:  # made absolute, for the engine works in another folder
        settings = settings_from_options(
            options,
            source=job.source,
            take=str(take),
            model=_model(options.model),
            body=import_options.body_path,
            camera_file=camera_option.readable(options.camera_file),
        )
    return sessions.start_capture(
        _empty_scene(job.source),
        settings,
        import_options,
        engine_python,
        keep_engine=True,
        resume=state == resuming.INTERRUPTED,
    )


def import_takes(options: argparse.Namespace, interrupted: Interruption) -> list[Result]:
    """Takes and motions become .blend files. Raises UserError for what is wrong with all."""
    planned = _plan(options, (".h3r",), sources_in)
    if problem := checks.problem_of_all(options):
        return refuse_jobs(planned, problem)
    import_options, motion_options = _import_options(options), settings_from_options(options, MotionOptions)

    def work(job: Job) -> None:
        if options.skip_missing and resuming.state_of(Path(job.source)) != resuming.COMPLETE:
            job.result.note = Sentence("There is no complete take.")
            job.say(job.result.note)
            return
        if is_motion(Path(job.source)):
            _build_motion(job, import_options, motion_options)
            _finish(options, job)
            return
        job.result.take = job.source
        run_to_end(sessions.start_import(_empty_scene(job.source), Path(job.source), import_options), job)
        if job.result.status in ("complete", "incomplete"):
            _finish(options, job, import_options.clean)

    return run_jobs(planned, interrupted, work)


def retarget(options: argparse.Namespace, interrupted: Interruption) -> list[Result]:
    """People in .blend files move characters. Raises UserError for what is wrong with all files."""
    planned = _plan(options, (".blend",))
    if problem := checks.problem_of_all(options):
        return refuse_jobs(planned, problem)

    def work(job: Job) -> None:
        scene = retargeting.open_scene(Path(job.source))
        _finish(options, job)
        job.result.status, job.result.people = "complete", len(job.result.characters)
        job.result.frames = scene.frame_end - scene.frame_start + 1

    return run_jobs(planned, interrupted, work)


def _plan(
    options: argparse.Namespace, suffixes: Collection[str], others: Callable[[Path], list[Path]] | None = None
) -> Planned:
    """What becomes what; what nothing can become of is refused before the work begins."""
    keeps = getattr(options, "resume", False)
    sources = find_sources(options.sources, suffixes, others)
    planned = plan_outputs(sources, options.output, options.overwrite or keeps)
    retargeting.check(options)
    exports.check(options, (output for _, output in planned if not (keeps and output.exists())))
    return planned


def _build_motion(job: Job, given: ImportOptions, options: MotionOptions) -> None:
    """A scene with the people of a motion file. Raises :class:`UserError`."""
    scene = _empty_scene(job.source)
    made = import_motion(
        Path(job.source), scene, given.body_path, given.set_scene_timing, options, absence_s=given.absence_s
    )
    job.result.status, job.result.people, job.result.note = "complete", made.people, " ".join(made.notes)
    job.result.frames = made.frames
    job.say("complete" + (f" ({job.result.note})" if job.result.note else ""))


def _finish(options: argparse.Namespace, job: Job, clean: float = 0.0) -> None:
    """What is made of the people once they are all there. Raises :class:`UserError`."""
    job.result.clean = clean
    people = selection.people(bpy.context, True)
    job.result.place_refined = bool(people) and all(map(versions.is_refined, people))
    if any(map(versions.lacks_camera, people)):
        job.say("people were smoothed, but not refined in place: the camera of the take is not in the scene")
    job.result.characters = retargeting.run(options, bpy.context.scene, job.label)
    _save(job.output)
    exported = exports.run(options, bpy.context.scene, job.output, job.label, lambda: job.interrupted.requested)
    job.result.exports, job.result.export_notes = [str(path) for path in exported.files], list(exported.notes)
    if failure := retargeting.failure(job.result.characters):
        job.fail(failure)  # the file is there to look at, but nobody should go on with it


@contextlib.contextmanager
def _take(job: Job, wanted: Path | None, resumes: bool = False) -> Iterator[Path]:
    """Where the take goes. One that was asked for stays; another stays when the .blend was not written of it."""
    kept = resuming.kept_take(job.output, job.source) if resumes and wanted is None else None
    take, is_done = wanted or kept or _temporary_take(job.output), False
    try:
        yield take
        is_done = job.result.status == "complete"
    finally:
        if (is_done and wanted is None) or not take.is_file() or take.stat().st_size == 0:
            take.unlink(missing_ok=True)
        else:
            job.result.take = str(take)
            if not is_done:
                job.say(f"the incomplete take was kept: {take}")


def _temporary_take(output: Path) -> Path:
    """A fresh file beside the output: on the same disk, and easy to find should the conversion fail."""
    with explained_write_errors(Sentence("{path} cannot be written to", path=output.parent), "output-unwritable"):
        output.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f"{output.stem}-", suffix=".h3r", dir=output.parent)
        os.close(descriptor)
        return Path(name)


def _import_options(options: argparse.Namespace) -> ImportOptions:
    body = str(Path(options.body).absolute()) if options.body not in ("", MANNEQUIN) else options.body
    return settings_from_options(options, ImportOptions, body_path=body)


def _model(name: str) -> str:
    """A model's name as it is, a checkpoint's path absolute."""
    known = name in ("default", *OURS) or name.startswith("recipe:") or registry.find(name) is not None
    return name if known else str(Path(name).absolute())


def _empty_scene(source: str) -> bpy.types.Scene:
    """A new file with one empty scene, named after the source."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.name = Path(source).stem
    return scene


def _save(output: Path) -> None:
    """Write the .blend whole or not at all. Raises :class:`UserError`."""
    explained = explained_write_errors(
        Sentence("{path} cannot be written", path=output), "output-unwritable", errors=(OSError, RuntimeError)
    )
    with explained, whole_file(output) as written:
        bpy.ops.wm.save_as_mainfile(filepath=str(written), copy=True, relative_remap=False, check_existing=False)
