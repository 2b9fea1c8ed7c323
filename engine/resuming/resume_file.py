# SPDX-License-Identifier: GPL-3.0-or-later
"""The resume file beside a take: what an interrupted capture needs to go on as if nothing had happened.

`OUT.h3r.resume` is an .npz without pickle: one JSON text and the arrays of every stage's state. It is replaced as a
whole, after the take's records that it builds on have reached the disk, and removed when the capture is complete.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.array_archive import BadArchive, read_arrays
from ..contract.errors import UserError
from ..contract.file_names import name_alone
from ..contract.json_checks import build, parse_json
from ..contract.settings import CaptureSettings
from ..contract.take import begun_settings, resume_path
from ..contract.whole_file import whole_file

FORMAT = 1
"""Raised whenever an older resume file can no longer be continued."""

_NOT_COMPARED = ("take", "body")
"""The take may have been moved, and of the body its content counts, not how it was chosen: :func:`check_same_model`."""

_COMPARED_BY_NAME = ("source", "camera_file")
"""Another computer may have the files in another folder."""

_UNRESOLVED = "auto"
"""Files of earlier versions do not say which device it came to: they go on with any."""

_MAX_BYTES = 1 << 32
"""Bound of what a resume file may claim; the largest models' states and clouds are far below."""

LEAST_INTERVAL_S = 2.0
SHARE_OF_TIME = 0.03
"""Resume files are written at most this often, and take at most this share of the time."""

_START_ANEW = "Start the capture again from the beginning (with --overwrite instead of --resume)."

StageStates = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True)
class ResumePoint:
    """The state after a whole frame."""

    settings: CaptureSettings
    model: str
    """As in the take's header."""
    body: str
    """As in the take's header, and the file's fingerprint."""
    take_offset: int
    """The take's length after that frame's records; what comes behind is written again."""
    frame_count: int
    """Frames in the take up to there."""
    next_source_frame: int
    """Picture of the footage to go on with."""
    states: StageStates
    """State of every stage, by its name."""


@dataclass(frozen=True)
class _Values:
    """What the file has beside arrays, as in :class:`ResumePoint`."""

    settings: CaptureSettings
    model: str
    body: str
    take_offset: int
    frame_count: int
    next_source_frame: int


def save_resume_point(point: ResumePoint) -> None:
    """Write the resume file of `point.settings.take`, replacing the one before. Raises OSError."""
    path = resume_path(point.settings.take)
    values = {
        "format": FORMAT,
        "settings": asdict(point.settings),
        "model": point.model,
        "body": point.body,
        "take_offset": point.take_offset,
        "frame_count": point.frame_count,
        "next_source_frame": point.next_source_frame,
    }
    arrays: dict[str, Any] = {
        f"{stage}.{name}": value for stage, state in point.states.items() for name, value in state.items()
    }
    with whole_file(path, synced=True) as written, open(written, "wb") as file:
        np.savez(file, values=np.frombuffer(json.dumps(values).encode("utf-8"), np.uint8), **arrays)


def load_resume_point(settings: CaptureSettings) -> ResumePoint:
    """The state to go on from. Raises UserError when there is none, or none that fits these (resolved) settings.

    The take may have been moved: `settings.take` need not be the one it was begun with.
    """
    path, take = resume_path(settings.take), Path(settings.take)
    start_anew = _START_ANEW
    if not path.is_file():
        raise _missing(path)
    try:
        arrays = read_arrays(path, _MAX_BYTES)
        values = parse_json(arrays.pop("values").tobytes())
        known_format = values.pop("format") == FORMAT
        begun = build(_Values, values)
        states: StageStates = {}
        for key, array in arrays.items():
            stage, name = key.split(".", 1)
            states.setdefault(stage, {})[name] = array
        point = ResumePoint(**vars(begun) | {"settings": settings, "states": states})
        if min(point.take_offset, point.frame_count, point.next_source_frame) < 0:
            raise ValueError("it holds a negative count")
    except (BadArchive, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            "resume-unreadable", "The resume file {path} cannot be read: {error}.", start_anew, path=path, error=error
        ) from error
    if not known_format:
        raise UserError(
            "resume-mismatch", "The resume file {path} was written by another version.", start_anew, path=path
        )
    differing = [
        name
        for name, value in asdict(begun.settings).items()
        if name not in _NOT_COMPARED
        and value not in (_UNRESOLVED, getattr(settings, name))
        and not (name in _COMPARED_BY_NAME and name_alone(value) == name_alone(getattr(settings, name)))
    ]
    if differing:
        name = differing[0]
        raise UserError(
            "resume-mismatch",
            "The capture was started with {name} = {before} and cannot be resumed with {now}.",
            "Use the settings that it was started with, or start again with --overwrite.",
            name=name,
            before=repr(getattr(begun.settings, name)),
            now=repr(getattr(settings, name)),
        )
    if not take.is_file() or take.stat().st_size < point.take_offset:
        raise UserError(
            "resume-mismatch",
            "The take {take} does not belong to {name}: it is missing or shorter than {size} bytes.",
            start_anew,
            take=take,
            name=path.name,
            size=point.take_offset,
        )
    return point


def interrupted_settings(take: str | os.PathLike[str]) -> CaptureSettings:
    """The settings that an interrupted capture was begun with. Raises UserError (``resume-missing``,
    ``take-unreadable``).
    """
    for path in (resume_path(take), Path(take)):
        if not path.is_file():
            raise _missing(path)
    return begun_settings(take)


def _missing(path: Path) -> UserError:
    return UserError(
        "resume-missing",
        "There is nothing to resume: {path} does not exist. The capture was complete, or it ended before the first "
        "resume file was written.",
        _START_ANEW,
        path=path,
    )


def check_same_model(point: ResumePoint, model: str, body: str) -> None:
    """Raises UserError (``resume-mismatch``) when the capture was begun with another model or body."""
    for said, before, now in (
        ("The capture was started with the model {before}, not with {now}.", point.model, model),
        ("The capture was started with the body {before}, not with {now}.", point.body, body),
    ):
        if before != now:
            raise UserError(
                "resume-mismatch",
                said,
                "Use the one that it was started with, or start again with --overwrite.",
                before=repr(before),
                now=repr(now),
            )


def remove_resume_point(take: str | os.PathLike[str]) -> None:
    """Forget the resume file of a take, if there is one."""
    resume_path(take).unlink(missing_ok=True)


class Pacing:
    """Says when a resume file is due: after the first frame, and then so that it stays a small share of the work."""

    def __init__(self) -> None:
        self._due = time.monotonic()

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due

    def written(self, seconds: float) -> None:
        """Tell how long the writing took."""
        self._due = time.monotonic() + max(LEAST_INTERVAL_S, seconds / SHARE_OF_TIME)
