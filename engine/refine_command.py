# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine refine-camera TAKE`: the final pass over the camera, for a take that was captured without it."""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from .contract.body_choice import body_file, choose_body_of_take
from .contract.body_model import BodyModel
from .contract.errors import UserError
from .contract.exit_codes import CANCELLED, DONE, EXPLANATION
from .contract.framing import write_record
from .contract.message_records import encode
from .contract.messages import (
    CAMERA_MOTIONS,
    CAMERA_NOTES,
    PROTOCOL_VERSION,
    Backdrop,
    CameraSummary,
    FinalFrame,
    FocalLength,
    Frame,
    Message,
    ScenePoints,
    TakeEnd,
    TakeHeader,
)
from .contract.sentences import Sentence
from .contract.settings import CaptureSettings
from .contract.take import TakeReader, records
from .contract.whole_file import explained_write_errors, whole_file
from .resuming.resume_file import resume_path
from .standard_streams import say, say_error

_PROGRESS_STEP = 0.05


@dataclass(frozen=True)
class OldTake:
    """What a take says before it is refined."""

    header: TakeHeader
    end: TakeEnd
    focal: FocalLength | None
    """The last word about it, from anything but an earlier pass over the camera."""
    frame_count: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"{EXPLANATION} The take is replaced when all is done; stopped before, it is as it was. What was recorded "
        "while the footage ran stays in it."
    )
    parser.add_argument("take", type=Path, metavar="TAKE.h3r", help="the take")
    parser.add_argument("--output", type=Path, metavar="OUT.h3r", help="write there and leave the take as it is")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing OUT.h3r")
    parser.add_argument("--footage", metavar="VIDEO", help="where the footage lies now (default: where it lay then)")
    parser.add_argument(
        "--no-backdrop", action="store_true", help="no photographed backdrop for a camera that does not move"
    )
    parser.add_argument("--json", action="store_true", help="print a summary to standard output as one line of JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress lines on standard error")


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; the summary goes to `stdout`, progress to standard error. Returns the exit code."""
    from .interruption import Interrupted, Interruption

    started, interruption = time.monotonic(), Interruption()
    summary: dict[str, Any]
    try:
        with interruption.allowed():
            new = _new_records(options, (lambda _: None) if options.quiet else say)
        target = _write(options.take, options.output or options.take, new)
        code, summary = DONE, _summary(new) | {"take": str(target)}
    except UserError as error:
        code, summary = say_error(error), {"status": "failed", **error.as_fields()}
    except Interrupted:
        say("Canceled. The take is as it was.")
        code, summary = CANCELLED, {"status": "cancelled"}
    if code == DONE:
        say(f"Wrote {target}")
    if options.json:
        with contextlib.suppress(OSError):
            stdout.write(json.dumps(summary | {"seconds": round(time.monotonic() - started, 3)}).encode() + b"\n")
            stdout.flush()
    return code


def read_old(path: Path) -> OldTake:
    """Raises UserError (``take-unreadable``, ``take-unfinished``)."""
    end, focal, frame_count = None, None, 0
    with TakeReader(path) as reader:
        for message in reader:
            if isinstance(message, TakeEnd):
                end = message
            elif isinstance(message, FocalLength) and message.source != "camera":
                focal = message
            frame_count += isinstance(message, Frame)
        if end is None or reader.problem is not None or not frame_count:
            raise UserError(
                "take-unfinished",
                "{problem}",
                "Let the capture end, or continue it with run --resume, and refine the take then.",
                problem=reader.problem or Sentence("The take {path} has no frames.", path=path),
            )
        return OldTake(reader.header, end, focal, frame_count)


def _new_records(options: argparse.Namespace, tell: Callable[[str], None]) -> list[Message]:
    """What the pass finds. Raises UserError."""
    source, target = options.take, options.output
    if resume_path(target or source).is_file():
        raise UserError(
            "take-unfinished",
            "The capture of {take} was interrupted, and could not be continued any more if the take was replaced.",
            "Continue it with run --resume first, or write to another name with --output OUT.h3r.",
            take=target or source,
        )
    if target is not None and target.exists() and not options.overwrite:
        raise UserError(
            "take-exists",
            "The take {target} already exists.",
            "Give --overwrite to replace it, or another name.",
            target=target,
        )
    old = read_old(source)
    settings = _settings(old.header, options)
    # Here, so that a wrong path is told at once: torch takes seconds to load.
    from .camera_pass.clip import Clip
    from .installed.locations import body_path
    from .refinement import refine, refit_people

    body = BodyModel.load(body_file(choose_body_of_take(old.header, body_path())))
    clip = Clip(source, settings, body, settled=True)
    steps, next_told = refine(clip, settings, old.focal, refit_people(clip)), 0.0
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            found: list[Message] = end.value
            return found
        if share >= next_told:
            tell(f"{share:.0%}")
            next_told = share + _PROGRESS_STEP


def _settings(header: TakeHeader, options: argparse.Namespace) -> CaptureSettings:
    """Those of the capture, with the footage where it is now. Raises UserError."""
    from .video.footage_of_take import settings_with_footage

    settings = settings_with_footage(header, options.footage)
    return replace(settings, backdrop=settings.backdrop and not options.no_backdrop)


def _write(source: Path, target: Path, new: list[Message]) -> Path:
    """The take with the new records before its end, whole or not at all. Raises UserError."""
    stale = _Stale(new)
    explained = explained_write_errors(Sentence("{path} cannot be written", path=target), "take-unwritable")
    with (
        explained,
        whole_file(target, synced=True) as written,
        open(written, "wb") as file,
        TakeReader(source) as reader,
        open(source, "rb") as raw,
    ):
        write_record(file, encode(replace(reader.header, protocol=PROTOCOL_VERSION)))
        for message, start, end in records(reader):
            if isinstance(message, TakeEnd):
                for item in new:
                    write_record(file, encode(item))
            elif message in stale:
                continue
            raw.seek(start)
            file.write(raw.read(end - start))
    return target


class _Stale:
    """Which records of an earlier pass make way for those of a `new` one: those that it says anew."""

    def __init__(self, new: list[Message]) -> None:
        self._frames = {message.index for message in new if isinstance(message, FinalFrame)}
        self._has_focal = any(isinstance(message, FocalLength) for message in new)
        self._has_points = any(isinstance(message, ScenePoints) for message in new)

    def __contains__(self, message: Message) -> bool:
        match message:
            case CameraSummary() | Backdrop():
                return True
            case FinalFrame():
                # A frame that nothing changes for keeps what an earlier pass found of its people.
                return message.index in self._frames
            case FocalLength():
                return self._has_focal and message.source == "camera"
            case ScenePoints():
                # Points that made way for a backdrop come again when that goes.
                return message.replaces_all and (self._has_points or not len(message.position))
        return False


def _summary(new: list[Message]) -> dict[str, Any]:
    """What was found, also said."""
    found = next(message for message in new if isinstance(message, CameraSummary))
    say(". ".join(part for part in (CAMERA_MOTIONS[found.motion], CAMERA_NOTES[found.note]) if part) + ".")
    if found.residual_px:
        parallax = f", seen under {found.ray_angle_deg:.1f}°" if found.ray_angle_deg else ""
        say(f"Corners lie {found.residual_px:.2f} px from where the path says{parallax}.")
    counted = sum(isinstance(message, FinalFrame) for message in new)
    points = next((len(message.position) for message in new if isinstance(message, ScenePoints)), None)
    return {
        "status": "complete",
        "camera_motion": found.motion,
        "camera_refined": found.refined,
        "camera_note": found.note,
        "residual_px": found.residual_px,
        "ray_angle_deg": found.ray_angle_deg,
        "frames_changed": counted,
        "point_count": points,
        "backdrop": any(isinstance(message, Backdrop) for message in new),
    }
