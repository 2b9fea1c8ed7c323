# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine run VIDEO --take OUT.h3r`: one video becomes a take."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from .contract.arguments import add_setting_options, given_settings, settings_from_options
from .contract.errors import UserError
from .contract.exit_codes import CANCELLED, DONE, EXPLANATION, FAILED
from .contract.messages import (
    CAMERA_MOTIONS,
    CAMERA_NOTES,
    CameraMotion,
    CameraSummary,
    Frame,
    Message,
    Status,
    TakeHeader,
)
from .contract.settings import CaptureSettings
from .resuming.resume_file import interrupted_settings
from .standard_streams import say, say_error, write_summary

_PROGRESS_EVERY_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"{EXPLANATION} Continue a cancelled or killed capture with --resume. The take is then the same as without "
        "the interruption."
    )
    parser.add_argument(
        "source",
        metavar="VIDEO",
        nargs="?",
        help="video file, folder of images, or pattern (shot.%%04d.png); a take that is resumed knows its own",
    )
    parser.add_argument("--take", required=True, metavar="OUT.h3r", help="where to write the take")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace an existing take")
    existing.add_argument(
        "--resume", action="store_true", help="continue an interrupted take, with the settings that it was begun with"
    )
    parser.add_argument("--json", action="store_true", help="print a summary to standard output as one line of JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress lines on standard error")
    add_setting_options(parser, also={"refine_people": ("--refine",)})


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; the summary goes to `stdout`, progress to standard error. Returns the exit code."""
    started = time.monotonic()
    try:
        code, summary = _capture(options)
    except UserError as error:
        say_error(error)
        code, summary = FAILED, {"status": "failed", **error.as_fields()}
    if options.json:
        write_summary(stdout, summary, started)
    return code


def _capture(options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """The exit code and the summary. Raises UserError."""
    settings = _settings(options)
    _check_take(settings, options)
    from .video.footage import open_footage

    # Opened here only so that a wrong path is told at once: torch takes seconds to load.
    open_footage(settings.source, settings.frame_rate).close()
    from .capture import run_capture
    from .interruption import Interruption

    progress, camera = _Progress(options.quiet), Camera()

    def sink(message: Message) -> None:
        progress.show(message)
        camera.take_in(message)

    result = run_capture(settings, sink, Interruption(), resume=options.resume)
    for note in (result.note, camera.note):
        if note:
            say(f"note: {note}")
    if camera.motion and not options.quiet:
        say(CAMERA_MOTIONS[camera.motion])
    code = DONE if result.status == "complete" else CANCELLED
    if code == CANCELLED and result.frame_count:
        say("Cancelled. To continue, run the same command with --resume.")
    return code, {**asdict(result), **camera.summary(), "take": settings.take}


def _settings(options: argparse.Namespace) -> CaptureSettings:
    """The settings of the capture; of one that is resumed, those that it was begun with where none are given."""
    if not options.resume:
        if options.source is None:
            raise UserError("bad-setting", "There is no footage.", "Give a video, or --resume an interrupted take.")
        return cast(CaptureSettings, settings_from_options(options, source=options.source, take=options.take))
    begun = interrupted_settings(options.take)
    given = given_settings(options)
    if options.source is not None and not _is_same_place(options.source, begun.source):
        given["source"] = options.source
    return replace(begun, **given)


def _is_same_place(path: str, other: str) -> bool:
    return Path(path).absolute() == Path(other).absolute()


def _check_take(settings: CaptureSettings, options: argparse.Namespace) -> None:
    if Path(settings.take).exists() and not (options.overwrite or options.resume):
        raise UserError(
            "take-exists",
            "The take {take} already exists.",
            "Give --overwrite to replace it, --resume to continue it, or another name.",
            take=settings.take,
        )


class Camera:
    """What was told about the camera."""

    def __init__(self) -> None:
        self.motion = self.note = ""
        self._is_refined = False

    def take_in(self, message: Message) -> None:
        if isinstance(message, CameraMotion | CameraSummary):
            self.motion = message.motion
        if isinstance(message, CameraSummary):
            self._is_refined, self.note = message.refined, CAMERA_NOTES[message.note]

    def summary(self) -> dict[str, Any]:
        """As the batch's summary in Blender says it."""
        return {"camera": self.motion, "camera_refined": self._is_refined, "camera_note": self.note}


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
            self._first = None  # what a resumed take has already is told first, and says nothing about the speed
            say(message.text)
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
        say(f"{line}, {len(frame.track_id)} people")
