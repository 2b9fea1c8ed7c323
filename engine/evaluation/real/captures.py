# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of real footage: captured over the frames that are annotated, or lying there from earlier."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...capture import run_capture
from ...contract.messages import FocalLength, Frame, Message, TakeHeader
from ...contract.settings import CaptureSettings
from ...contract.take import SettledTakeReader, TakeReader
from ...interruption import Interrupted, Interruption
from ...supply import ModelShelf
from ...video.footage import open_footage
from ..camera.measuring import different_poses

LEAD_S = 2.0
"""A capture begins so long before the first annotated frame: models settle, and people are followed."""

LEAST_RATE = 12.0
"""Frames per second that are left of the footage's own, at the least: enough to follow people."""


@dataclass(frozen=True)
class Stretch:
    """The frames of a clip that are captured."""

    start: int
    end: int | None
    """The frame to stop before; None for the clip's end."""
    stride: int

    def __str__(self) -> str:
        last = "end" if self.end is None else self.end - 1
        return f"{self.start}-{last}" + (f"/{self.stride}" if self.stride > 1 else "")


@dataclass(frozen=True)
class Take:
    """What a take tells that is measured."""

    path: Path
    header: TakeHeader
    frames: dict[int, Frame]
    """By their number in the footage."""
    stretch: Stretch
    focal_length: FocalLength | None
    """How well it is known in the end; None where the model does not say."""
    live_poses: int
    """How many of the camera's poses differ, bit by bit, as they were while the footage ran."""

    @property
    def final_poses(self) -> int:
        """How many of the camera's poses differ, bit by bit."""
        return different_poses(self.frames.values())

    @property
    def track_count(self) -> int:
        """Different people, as the take has them."""
        return len({int(track) for frame in self.frames.values() for track in frame.track_id})


def read_take(path: Path, refined: bool = True) -> Take:
    """The frames of a take as the final pass left them: the one place that decides which records are measured.

    Without `refined`, people are as they were before they were refined.
    """
    with SettledTakeReader(path, refined) as take:
        messages = list(take)
        settings = take.header.settings
    with TakeReader(path) as take:
        live_poses = different_poses(message for message in take if isinstance(message, Frame))
    frames = {message.source_frame: message for message in messages if isinstance(message, Frame)}
    said = [message for message in messages if isinstance(message, FocalLength)]
    stretch = Stretch(settings.start, settings.end, settings.stride)
    return Take(path, take.header, frames, stretch, said[-1] if said else None, live_poses)


def stretch_around(frames: Iterable[int], frame_rate: float, stride: int | None = None, full: bool = False) -> Stretch:
    """What to capture so that `frames` are hit: from `LEAD_S` before the first to the last; `full`: all of the clip.

    Without `stride` it is the longest that hits all of them and leaves `LEAST_RATE`.
    """
    wanted = sorted(frames)
    if stride is None:
        apart = math.gcd(*(number - wanted[0] for number in wanted))
        fit = [step for step in range(1, max(1, int(frame_rate / LEAST_RATE)) + 1) if apart % step == 0]
        stride = fit[-1]
    lead = wanted[0] if full else min(wanted[0], round(LEAD_S * frame_rate))
    return Stretch(wanted[0] - lead // stride * stride, None if full else wanted[-1] + 1, stride)


@dataclass(frozen=True)
class Captures:
    """Makes takes in a folder, under one set of settings; or reads those that are there."""

    folder: Path
    settings: CaptureSettings
    interruption: Interruption
    shelf: ModelShelf
    only_read: bool = False
    stride: int | None = None
    full: bool = False
    refined: bool = True

    def take(self, name: str, find: Callable[[], Path], frames: Iterable[int], **changes: Any) -> Take:
        """The take `name` of the footage that `find` finds. Raises UserError, and Interrupted on request."""
        path = self.folder / f"{name}.h3r"
        if not self.only_read:
            source = find()
            self._capture(source, path, self._stretch(source, frames), changes)
        return read_take(path, self.refined)

    def _stretch(self, source: Path, frames: Iterable[int]) -> Stretch:
        footage = open_footage(source)
        footage.close()
        return stretch_around(frames, footage.frame_rate, self.stride, self.full)

    def _capture(self, source: Path, path: Path, stretch: Stretch, changes: dict[str, Any]) -> None:
        settings = replace(
            self.settings,
            source=str(source),
            take=str(path),
            start=stretch.start,
            end=stretch.end,
            stride=stretch.stride,
            **changes,
        )
        if run_capture(settings, _ignore, self.interruption, self.shelf).status != "complete":
            raise Interrupted


def _ignore(_message: Message) -> None:
    """Everything that is measured is in the take."""
