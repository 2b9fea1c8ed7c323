# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures the clips as a user would, and measures what the takes say of the camera."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ...capture import run_capture
from ...contract.errors import UserError
from ...contract.messages import Message, Status
from ...contract.settings import CaptureSettings
from ...interruption import Interrupted, Interruption
from ...supply import ModelShelf
from ..running import settings_of_clips
from ..synthetic_set import NamedBody
from .clips import SIZE, CameraClip, CameraClips
from .measuring import CameraTake, measure_take, path_length, read_camera_take
from .report import CameraReport, summary
from .results import CameraResult, Seconds
from .surroundings import ray_angle_deg


def evaluate_camera(options: argparse.Namespace, interruption: Interruption) -> CameraReport:
    """Capture and measure the clips of `--synthetic-seeds`, or measure their `--takes`.

    Raises UserError, and Interrupted when a stop is requested.
    """
    _check(options)
    settings = settings_of_clips(
        options,
        point_confidence=CaptureSettings.point_confidence,
        voxel_size=CaptureSettings.voxel_size,
        max_points=CaptureSettings.max_points,
    )
    clips = CameraClips(
        options.synthetic_seeds,
        NamedBody.load(options.body),
        options.camera_frames,
        options.clip_size or SIZE,
        Path(options.clip_cache) if options.clip_cache else None,
    )
    results: dict[str, CameraResult] = {}
    take, shelf = None, ModelShelf()
    with ExitStack() as stack:
        folder = options.takes or options.keep_takes or stack.enter_context(tempfile.TemporaryDirectory())
        for clip in clips.clips():
            path, seconds = Path(folder) / f"{clip.name.replace(' ', '-')}.h3r", Seconds(clip.render_s)
            if not options.takes:
                seconds = _capture(clip, replace(settings, take=str(path)), interruption, shelf)
            take = read_camera_take(path)
            results[clip.name] = _result(clip, take, seconds)
            progress = f"clip {len(results)} of {len(clips)} ({clip.name}): {summary(results[clip.name])}"
            print(progress, file=sys.stderr, flush=True)
    assert take is not None
    seeds = options.synthetic_seeds
    title = (
        f"{take.model} follows the camera of synthetic clips, seeds {seeds.start} to {seeds.stop - 1}, "
        f"refine camera {take.settings.refine_camera}"
    )
    return CameraReport(title, results)


def _check(options: argparse.Namespace) -> None:
    if not options.synthetic_seeds:
        raise UserError(
            "bad-setting", "The camera is measured on synthetic clips alone.", "Give --synthetic-seeds, such as 0:6."
        )
    if options.tier or options.ablations:
        raise UserError(
            "bad-setting",
            "The clips that the camera is measured on have tiers of their own, and no ablations.",
            "Leave out --tier and --ablations.",
        )


def _capture(clip: CameraClip, settings: CaptureSettings, interruption: Interruption, shelf: ModelShelf) -> Seconds:
    """Make the clip's take."""
    clock = _PassClock()
    started = time.monotonic()
    result = run_capture(
        replace(settings, source=clip.source, frame_rate=clip.truth.frame_rate), clock.hear, interruption, shelf
    )
    if result.status != "complete":
        raise Interrupted
    return Seconds(clip.render_s, time.monotonic() - started, clock.seconds)


def _result(clip: CameraClip, take: CameraTake, seconds: Seconds) -> CameraResult:
    return CameraResult(
        motion=clip.motion,
        frames=len(take.live),
        path_m=path_length(clip.truth.world_from_camera),
        ray_angle_deg=ray_angle_deg(clip.truth),
        errors=measure_take(take, clip.truth),
        motion_live=take.motion_live,
        summary=take.summary,
        focal=take.focal,
        point_count=len(take.points),
        has_backdrop=take.has_backdrop,
        seconds=seconds,
    )


@dataclass
class _PassClock:
    """The seconds between the first word of a final pass and the word that follows it."""

    began: float | None = None
    ended: float | None = None

    def hear(self, message: Message) -> None:
        if isinstance(message, Status):
            if message.phase == "refining":
                self.began = self.began or time.monotonic()
            elif self.began is not None:
                self.ended = self.ended or time.monotonic()

    @property
    def seconds(self) -> float | None:
        return None if self.began is None or self.ended is None else self.ended - self.began
