# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine run VIDEO --take OUT.h3r` for people and scripts; `python -m engine serve` for Blender."""

from __future__ import annotations

from . import import_path  # noqa: F401 - before any other import

# isort: split
import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from . import convert_command, self_test
from .contract import logs
from .contract.arguments import add_setting_options, settings_from_options
from .contract.errors import UserError
from .contract.messages import Frame, Message, Status, TakeHeader
from .contract.settings import CaptureSettings
from .standard_streams import claim_stdout
from .take_editing import command as take_editing

DONE, USER_ERROR, CANCELLED = 0, 1, 130
"""Exit codes; 2 is argparse's, for options that do not exist."""

_PROGRESS_EVERY_S = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(next(iter(arguments), "")).parse_args(arguments)
    # Before torch is imported: what Metal lacks is computed on the CPU instead of ending the run.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    stdout = claim_stdout()
    logs.set_up()
    # The commands are imported here, after standard output is safe, and so that --help does not wait for torch.
    if options.command == "serve":
        from .serve import serve

        return serve(sys.stdin.buffer, stdout)
    if options.command == "evaluate":
        from .evaluation import command as evaluation

        return evaluation.run(options, stdout)
    if options.command == "train":
        from .training import command as training

        return training.run(options)
    if options.command == "convert-checkpoint":
        return convert_command.run(options, stdout)
    if options.command == "edit-take":
        return take_editing.run(options, stdout)
    if options.command == "self-test":
        return self_test.run(options, stdout)
    return _run(options, stdout)


def _parser(command: str) -> argparse.ArgumentParser:
    """The options of all commands. Those of the laboratory are loaded only for the command that is its own."""
    parser = argparse.ArgumentParser(prog="python -m engine", description="People, camera and place out of a video.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run",
        help="process one video and write a take",
        epilog="Exit codes: 0 complete, 1 an error that is explained, 2 wrong options, 130 cancelled. A cancelled or "
        "killed capture goes on with --resume and gives the same take as an uninterrupted one.",
    )
    run.add_argument("source", metavar="VIDEO", help="video file, folder of pictures, or pattern (shot.%%04d.png)")
    run.add_argument("--take", required=True, metavar="OUT.h3r", help="where to write the take")
    existing = run.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace an existing take")
    existing.add_argument("--resume", action="store_true", help="go on with an interrupted take")
    run.add_argument("--json", action="store_true", help="print a summary as one line of JSON on standard output")
    run.add_argument("--quiet", action="store_true", help="no progress lines on standard error")
    add_setting_options(run)
    commands.add_parser("serve", help="framed requests on standard input, framed messages on standard output")
    evaluate = commands.add_parser(
        "evaluate", help="measure a take against ground truth, or a model on synthetic clips"
    )
    if command == "evaluate":
        from .evaluation import command as evaluation

        evaluation.add_arguments(evaluate)
    train = commands.add_parser("train", help="train the embedded model, or tune a released one's prompts")
    if command == "train":
        from .training import command as training

        training.add_arguments(train)
    convert_command.add_arguments(
        commands.add_parser(
            "convert-checkpoint", help="a released checkpoint becomes weights that start within seconds"
        )
    )
    take_editing.add_arguments(
        commands.add_parser(
            "edit-take", help="list the people of a take, or edit them into another take: merge, split, swap, fill gaps"
        )
    )
    self_test.add_arguments(
        commands.add_parser(
            "self-test", help="run a model over a few generated pictures: device, memory, frames per second"
        )
    )
    return parser


def _run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    started = time.monotonic()
    progress = _Progress(quiet=options.quiet)
    try:
        settings = settings_from_options(options, source=options.source, take=options.take)
        _check_take(settings, options)
        from .video.footage import open_footage

        # Opened here only so that a wrong path is told at once: torch takes seconds to load.
        open_footage(settings.source, settings.frame_rate).close()
        from .capture import run_capture
        from .interruption import Interruption

        result = run_capture(settings, progress.show, Interruption(), resume=options.resume)
    except UserError as error:
        _say(f"error [{error.code}]: {error.message}\nremedy: {error.remedy}")
        summary: dict[str, Any] = {
            "status": "failed",
            "code": error.code,
            "message": error.message,
            "remedy": error.remedy,
        }
        code = USER_ERROR
    else:
        if result.note:
            _say(f"note: {result.note}")
        summary = {**asdict(result), "take": settings.take}
        code = DONE if result.status == "complete" else CANCELLED
        if code == CANCELLED and result.frame_count:
            _say("Cancelled. The same command with --resume goes on.")
    if options.json:
        summary |= {"seconds": round(time.monotonic() - started, 3)}
        with contextlib.suppress(OSError):
            stdout.write(json.dumps(summary).encode("utf-8") + b"\n")
            stdout.flush()
    return code


def _check_take(settings: CaptureSettings, options: argparse.Namespace) -> None:
    if Path(settings.take).exists() and not (options.overwrite or options.resume):
        raise UserError(
            "take-exists",
            f"The take {settings.take} exists already.",
            "Give --overwrite to replace it, --resume to go on with it, or another name.",
        )


class _Progress:
    """One line a second: frames done, of how many, rate, time left."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._total: int | None = None
        self._first: tuple[int, float] | None = None
        self._shown = 0.0

    def show(self, message: Message) -> None:
        if self._quiet:
            return
        if isinstance(message, Status):
            _say(message.text)
        elif isinstance(message, TakeHeader):
            self._total = message.frame_count
        elif isinstance(message, Frame):
            self._show_frame(message)

    def _show_frame(self, frame: Frame) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = (frame.index, now)
        done = frame.index + 1
        if now - self._shown < _PROGRESS_EVERY_S and done != self._total:
            return
        self._shown = now
        line = f"frame {done}" + (f" of {self._total}" if self._total else "")
        elapsed = now - self._first[1]
        if elapsed > 0:
            rate = (frame.index - self._first[0]) / elapsed
            line += f", {rate:.1f} frames/s"
            if self._total and rate > 0:
                line += f", {max(self._total - done, 0) / rate:.0f} s left"
        _say(f"{line}, {len(frame.track_id)} people")


def _say(text: str) -> None:
    """A line for the person; where nobody reads any more, the work goes on nevertheless."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        exit_code = main()
    except KeyboardInterrupt:  # while the libraries load, before stopping is taken over
        exit_code = CANCELLED
    # All that matters is written and flushed; taking torch down in order would only cost up to a few seconds.
    os._exit(exit_code)
