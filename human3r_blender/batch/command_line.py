# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: ``blender --background --command human3r convert VIDEO --output OUT.blend``.

The same :func:`main` runs without a Blender program, through the ``bpy`` wheel, and without the add-on being enabled.
Progress goes to standard error. Exit codes: 0 all done, 1 something failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import bpy

from ...engine.contract import logs
from ...engine.contract.arguments import add_setting_options, settings_from_options
from ...engine.contract.body_choice import MANNEQUIN
from ...engine.contract.errors import UserError
from ...engine.installed import registry
from ..capture import session as sessions
from ..capture.session import Session
from ..report import diagnostics
from ..scene.import_options import ImportOptions
from ..sections.export import command_line as exports
from ..sections.export import importing as motions
from ..sections.retarget import command_line as retargeting
from ..sections.retarget.verification import Report
from ..setup import choices
from . import engine_command
from .paths import find_sources, plan_outputs

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130
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
    seconds: float = 0.0
    note: str = ""
    characters: list[Report] = field(default_factory=list)
    """What ``--retarget-to`` made of each person."""
    exports: list[str] = field(default_factory=list)
    """The files that ``--export`` wrote."""
    export_notes: list[str] = field(default_factory=list)
    """What these cannot show."""
    error: dict[str, str] | None = None
    """``code``, ``message`` and ``remedy`` of what went wrong."""


def main(arguments: Sequence[str]) -> int:
    """Run one command (``convert ...`` or ``import ...``). Returns the exit code; raises nothing that a user causes."""
    try:
        options = _parser().parse_args(list(arguments))
    except SystemExit as stop:
        return int(stop.code or 0)
    logs.set_up()
    interrupted = _Interruption()
    try:
        with interrupted:
            results = options.run(options, interrupted)
    except UserError as error:
        _print_error("", error)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        sessions.forget()
    if options.json:
        _write_summary(options.json, results)
    if interrupted.requested:
        return EXIT_INTERRUPTED
    return 0 if all(result.error is None for result in results) else EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="human3r", description="A video becomes a .blend.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    convert = commands.add_parser("convert", help="videos become .blend files")
    convert.add_argument(
        "sources",
        nargs="+",
        metavar="VIDEO",
        help="video, folder of videos, folder of images, or image-sequence pattern",
    )
    convert.add_argument(
        "--take",
        type=Path,
        metavar="PATH",
        help="keep the take: a .h3r file, or a folder for several videos (default: a temporary file "
        "beside the output, kept only when the conversion fails)",
    )
    convert.add_argument(
        "--engine-python",
        default="",
        metavar="PATH",
        help="Python of the engine's environment (default: the add-on's preferences, then "
        "the environment variable HUMAN3R_ENGINE_PYTHON, then the installed one)",
    )
    add_setting_options(convert)
    convert.set_defaults(run=_convert)
    importing = commands.add_parser(
        "import", help="takes, and motions in AMASS's format, become .blend files, without the engine"
    )
    importing.add_argument(
        "sources", nargs="+", metavar="TAKE", help=".h3r file, or a folder of them; or a motion of AMASS's (.npz)"
    )
    importing.set_defaults(run=_import)
    retarget = commands.add_parser("retarget", help="people in .blend files move characters")
    retarget.add_argument("sources", nargs="+", metavar="BLEND", help=".blend file with people, or a folder of them")
    retarget.set_defaults(run=_retarget)
    for command in (convert, importing, retarget):
        command.add_argument(
            "--output",
            required=True,
            type=Path,
            metavar="PATH",
            help=".blend file, or a folder, which several videos need",
        )
        command.add_argument("--overwrite", action="store_true", help="replace existing .blend files")
        command.add_argument(
            "--json",
            metavar="FILE",
            help="write a summary as JSON; - for standard output, where Blender prints lines too",
        )
        if command is not retarget:
            add_setting_options(command, ImportOptions, title="import settings", leave_out=("body_path",))
        retargeting.add_arguments(command, required=command is retarget)
        exports.add_arguments(command)
    engine = commands.add_parser(
        "install-engine", help="install, repair, update or remove the engine's Python environment"
    )
    engine_command.add_arguments(engine)
    engine.set_defaults(run=engine_command.run)
    reporting = commands.add_parser("diagnostics", help="print a report on this installation, with names taken out")
    reporting.set_defaults(run=diagnostics.run, json=None)
    importing.add_argument(
        "--body",
        default="",
        metavar="PATH",
        help="SMPL-X body file (.npz), or mannequin; empty for the body that the take was made with",
    )
    return parser


def _convert(options: argparse.Namespace, interrupted: _Interruption) -> list[Result]:
    jobs = plan_outputs(find_sources(options.sources), options.output, options.overwrite)
    retargeting.check(options)
    exports.check(options, (output for _, output in jobs))
    import_options = _import_options(options)
    takes = None
    if options.take:
        takes = plan_outputs([source for source, _ in jobs], options.take, options.overwrite, ".h3r")
    results = []
    for number, (source, output) in enumerate(jobs):
        result = Result(source, str(output), clean=import_options.clean)
        results.append(result)
        if interrupted.requested:
            continue
        take = None
        label = f"[{number + 1}/{len(jobs)}] {Path(source).name}"
        with _reported(result, label):
            take = takes[number][1] if takes else _temporary_take(output)
            # made absolute, for the engine works in another folder
            settings = settings_from_options(
                options, source=source, take=str(take), model=_model(options.model), body=import_options.body_path
            )
            run = sessions.start_capture(
                _empty_scene(source),
                settings,
                import_options,
                options.engine_python or choices.chosen().engine_python,
                keep_engine=True,
            )
            _run_to_end(run, result, interrupted, label)
            if run.progress.phase == "complete":
                _finish(options, result, output, label)
        if take is not None:
            _keep_or_remove(take, result, label, wanted=takes is not None)
    return results


def _import(options: argparse.Namespace, interrupted: _Interruption) -> list[Result]:
    jobs = plan_outputs(find_sources(options.sources, (".h3r",)), options.output, options.overwrite)
    retargeting.check(options)
    exports.check(options, (output for _, output in jobs))
    import_options = _import_options(options)
    results = []
    for number, (source, output) in enumerate(jobs):
        result = Result(source, str(output), take=source, clean=import_options.clean)
        results.append(result)
        if interrupted.requested:
            continue
        label = f"[{number + 1}/{len(jobs)}] {Path(source).name}"
        with _reported(result, label):
            if Path(source).suffix.lower() == motions.SUFFIX:
                _build_motion(source, import_options, result, label)
            else:
                _run_to_end(
                    sessions.start_import(_empty_scene(source), Path(source), import_options),
                    result,
                    interrupted,
                    label,
                )
            if result.status in ("complete", "incomplete"):
                _finish(options, result, output, label)
    return results


def _retarget(options: argparse.Namespace, interrupted: _Interruption) -> list[Result]:
    jobs = plan_outputs(find_sources(options.sources, (".blend",)), options.output, options.overwrite)
    retargeting.check(options)
    exports.check(options, (output for _, output in jobs))
    results = []
    for number, (source, output) in enumerate(jobs):
        result = Result(source, str(output))
        results.append(result)
        if interrupted.requested:
            continue
        label = f"[{number + 1}/{len(jobs)}] {Path(source).name}"
        with _reported(result, label):
            scene = retargeting.open_scene(Path(source))
            _finish(options, result, output, label)
            result.status, result.people = "complete", len(result.characters)
            result.frames = scene.frame_end - scene.frame_start + 1
    return results


def _build_motion(source: str, import_options: ImportOptions, result: Result, label: str) -> None:
    """A scene with the person of an AMASS-style file. Raises :class:`UserError`."""
    scene = _empty_scene(source)
    _, notes = motions.import_motion(Path(source), scene, import_options.body_path, import_options.set_scene_timing)
    result.status, result.take, result.people, result.clean = "complete", None, 1, 0.0
    result.note = " ".join(notes)
    result.frames = scene.frame_end - scene.frame_start + 1
    print(f"{label}: complete" + (f" ({result.note})" if result.note else ""), file=sys.stderr, flush=True)


@contextlib.contextmanager
def _reported(result: Result, label: str) -> Iterator[None]:
    """Time one job and note its failure, so that the next one still runs."""
    started = time.monotonic()
    try:
        yield
    except UserError as error:
        result.status = "failed"
        result.error = {"code": error.code, "message": error.message, "remedy": error.remedy}
        _print_error(label, error)
    result.seconds = round(time.monotonic() - started, 3)


def _finish(options: argparse.Namespace, result: Result, output: Path, label: str) -> None:
    """What is made of the people once they are all there. Raises :class:`UserError`."""
    result.characters = retargeting.run(options, bpy.context.scene, label)
    _save(output)
    exported = exports.run(options, bpy.context.scene, output, label)
    result.exports, result.export_notes = [str(path) for path in exported.files], list(exported.notes)


def _run_to_end(run: Session, result: Result, interrupted: _Interruption, label: str) -> None:
    """Pump until the run is over. Raises the :class:`UserError` that it ended with."""
    next_line, said = 0.0, ""
    while run.pump_messages(budget_s=0.25, wait_s=0.1):
        if interrupted.requested:
            run.cancel(build=False)  # an interrupted conversion writes no .blend
        line = run.progress.describe() if run.progress.phase == "running" else run.progress.text or run.progress.phase
        if line != said and time.monotonic() >= next_line:
            print(f"{label}: {line}", file=sys.stderr, flush=True)
            next_line, said = time.monotonic() + PROGRESS_EVERY_S, line
    result.status, result.frames, result.note = run.progress.phase, run.progress.frames_done, run.note
    result.people = run.people_count
    if run.error is not None:
        raise run.error
    print(
        f"{label}: {run.progress.phase}, {run.progress.describe()}" + (f" ({run.note})" if run.note else ""),
        file=sys.stderr,
        flush=True,
    )


def _keep_or_remove(take: Path, result: Result, label: str, wanted: bool) -> None:
    """A take that was asked for stays; another stays when it has something in it and the .blend was not written."""
    if result.error is None and result.status == "complete" and not wanted:
        take.unlink(missing_ok=True)
    elif take.is_file() and take.stat().st_size > 0:
        result.take = str(take)
        if result.status != "complete":
            print(f"{label}: the take so far is kept: {take}", file=sys.stderr, flush=True)
    else:
        take.unlink(missing_ok=True)


def _import_options(options: argparse.Namespace) -> ImportOptions:
    body = str(Path(options.body).absolute()) if options.body not in ("", MANNEQUIN) else options.body
    return settings_from_options(options, ImportOptions, body_path=body)


def _model(name: str) -> str:
    """A model's name as it is, a checkpoint's path absolute."""
    known = name == "default" or name.startswith("recipe:") or registry.find(name) is not None
    return name if known else str(Path(name).absolute())


def _empty_scene(source: str) -> bpy.types.Scene:
    """A new file with one empty scene, named after the source."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.name = Path(source).stem
    return scene


def _save(output: Path) -> None:
    """Write the file whole or not at all: beside its place first, then moved there. Raises :class:`UserError`."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".human3r-", dir=output.parent) as folder:
            written = Path(folder) / output.name
            bpy.ops.wm.save_as_mainfile(filepath=str(written), copy=True, relative_remap=False, check_existing=False)
            written.replace(output)
    except (OSError, RuntimeError) as error:
        raise UserError(
            "output-unwritable",
            f"{output} cannot be written: {error}.",
            "Choose a folder with space left and permission to write.",
        ) from error


def _temporary_take(output: Path) -> Path:
    """A fresh file beside the output: on the same disk, and easy to find should the conversion fail."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            prefix=output.stem + "-", suffix=".h3r", dir=output.parent, delete=False
        ) as file:
            return Path(file.name)
    except OSError as error:
        raise UserError(
            "output-unwritable",
            f"{output.parent} cannot be written to: {error.strerror}.",
            "Choose a folder with space left and permission to write.",
        ) from error


def _print_error(label: str, error: UserError) -> None:
    start = f"{label}: " if label else ""
    print(f"{start}error [{error.code}]: {error.message}\n    {error.remedy}", file=sys.stderr, flush=True)


def _write_summary(where: str, results: list[Result]) -> None:
    text = json.dumps({"results": [asdict(result) for result in results]}, indent=2)
    if where == "-":
        print(text, flush=True)
    else:
        Path(where).write_text(text + "\n", encoding="utf-8")


class _Interruption:
    """Ctrl-C asks once for an orderly end, and the second time stops at once."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> _Interruption:
        self._previous = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._previous or signal.SIG_DFL)

    def _interrupt(self, *_: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        print("Stopping (press Ctrl-C again to stop at once)", file=sys.stderr, flush=True)
