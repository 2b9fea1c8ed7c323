# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine refine-camera TAKE`: the final pass over the camera, for a take that was captured without it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from .contract.body_choice import body_file, choose_body_of_take
from .contract.body_model import BodyModel
from .contract.errors import UserError
from .contract.exit_codes import CANCELLED, DONE, EXPLANATION
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
from .contract.settings import CaptureSettings
from .contract.take import TakeReader
from .contract.take_rewriting import refuse_existing, refuse_interrupted, refuse_unfinished, rewrite_take
from .slices import worked_off
from .standard_streams import say, say_error, write_summary


@dataclass(frozen=True)
class OldTake:
    """What a take says before it is refined."""

    header: TakeHeader
    focal: FocalLength | None
    """The last word about it, from anything but an earlier pass over the camera."""


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
        write_summary(stdout, summary, started)
    return code


def read_old(path: Path) -> OldTake:
    """Raises UserError (``take-unreadable``, ``take-unfinished``)."""
    focal, frame_count = None, 0
    with TakeReader(path) as reader:
        for message in reader:
            if isinstance(message, FocalLength) and message.source != "camera":
                focal = message
            frame_count += isinstance(message, Frame)
        refuse_unfinished(reader, frame_count)
        return OldTake(reader.header, focal)


def _new_records(options: argparse.Namespace, tell: Callable[[str], None]) -> list[Message]:
    """What the pass finds. Raises UserError."""
    source, target = options.take, options.output
    refuse_interrupted(target or source)
    if target is not None:
        refuse_existing(target, options.overwrite)
    old = read_old(source)
    settings = _settings(old.header, options)
    # Here, so that a wrong path is told at once: torch takes seconds to load.
    from .camera_pass.clip import Clip
    from .installed.locations import body_path
    from .refinement import refine, refit_people

    body = BodyModel.load(body_file(choose_body_of_take(old.header, body_path())))
    clip = Clip(source, settings, body, settled=True, refined=False)
    return worked_off(refine(clip, settings, old.focal, refit_people(clip)), lambda share: tell(f"{share:.0%}"))


def _settings(header: TakeHeader, options: argparse.Namespace) -> CaptureSettings:
    """Those of the capture, with the footage where it is now. Raises UserError."""
    from .video.footage_of_take import settings_with_footage

    settings = settings_with_footage(header, options.footage)
    return replace(settings, backdrop=settings.backdrop and not options.no_backdrop)


def _write(source: Path, target: Path, new: list[Message]) -> Path:
    """The take with the new records before its end, whole or not at all. Raises UserError."""
    stale = _Stale(new)
    with TakeReader(source) as reader:
        settings = replace(reader.header.settings, refine_people=False)
        header = replace(reader.header, protocol=PROTOCOL_VERSION, settings=settings)

    def becomes(message: Message) -> Iterable[Message]:
        if isinstance(message, TakeEnd):
            return [*new, message]
        return [] if message in stale else [message]

    rewrite_take(source, target, header, becomes)
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
                # A frame that nothing changes for keeps what an earlier pass found of its people. Refined ones go:
                # the camera that they agreed with is another one.
                return message.refined or message.index in self._frames
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
