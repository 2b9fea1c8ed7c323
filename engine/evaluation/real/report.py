# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardstick of real footage as a table for people and as JSON for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..report import aligned
from . import motions
from .captures import Take
from .falling import Fall
from .motions import MotionResult
from .scoring import CLOSE, NEAR, RealScore, Sighting
from .truth_scoring import TruthScore

_HEADS = (
    "clip", "frames", "found", "median", "mean", "<5 %", "<10 %", "head", "swapped", "invented", "identities",
    "outline", "fall", "poses",
)  # fmt: skip
_TRUTH_HEADS = (
    "focal length", "found", "MPJPE", "PA-MPJPE", "root", "along", "across", "root as seen", "focal error",
)  # fmt: skip
_TRUTH_ERRORS = {
    "mpjpe_mm": "{:.0f} mm",
    "pa_mpjpe_mm": "{:.0f} mm",
    "root_m": "{:.3f} m",
    "root_along_m": "{:.3f} m",
    "root_across_m": "{:.3f} m",
    "root_seen_m": "{:.3f} m",
    "focal_relative": "{:.1%}",
}
_NOTES = (
    "Errors are distances in the frame, in % of the height of the person's box, over shoulders, elbows, wrists, knees "
    "and ankles of those found; <5 % and <10 %: of all annotated joints of these, those of people who were not found "
    "among them. head: median of the skull's centre. swapped: people who fit better with left and right exchanged. "
    "invented: people in frames that nobody is in. identities: different people in all frames of the capture (of those "
    "who are annotated). outline: mean intersection over union of the bodies and the take's mask, in frames in which "
    "exactly those who are annotated were found. fall: acceleration in a flight, m/s2, that should be 9.81 (frames "
    "seen of those captured). poses: how many different ones the camera has, while the footage ran / in the end; a "
    "camera that is known to be fixed should have one."
)
_TRUTH_NOTES = (
    "Joints: {joints}. MPJPE: after moving the middle of the hips on to the true one. root: the middle of the hips, in "
    "the frame of the calibrated camera, and its parts along and across the ray. root as seen: the same from where a "
    "camera without distortion sees it whose principal point is the take's."
)
_MOTION_NOTES = (
    "mean: as above, of the same take with its people in another motion; change: from the raw one, in % of the height "
    "of the person's box, of which refining may add 0.2. standing feet: how far heels and balls of the feet move in "
    "a frame of the footage while they stand (slow and low in the last motion), over everybody and, under worst, of "
    "the person who moves most, which has to stay below 5 mm when refined. fall: as above."
)
_WIDTH = 120


@dataclass(frozen=True)
class ClipResult:
    """What was measured on one clip."""

    score: RealScore
    sightings: tuple[Sighting, ...]
    """Of every annotated person in every annotated frame."""
    take: Take
    person_count: int | None
    """How many different people are annotated; None where nobody told them apart."""
    unseen_frames: tuple[int, ...]
    """Annotated frames that the take does not have; they count nowhere."""
    fall: Fall | None = None
    """None where no flight is known."""
    outline_overlaps: tuple[float, ...] = ()
    """Intersection over union of bodies and mask, of each frame in which exactly those annotated were found."""
    camera_is_fixed: bool = False
    """Whether the camera is known to stand still."""
    motions: Mapping[str, MotionResult] = field(default_factory=dict)
    """People in other motions, too, the raw one first; empty where that was not asked for."""

    @property
    def one_pose(self) -> bool | None:
        """Whether a fixed camera has the same pose in all frames, live and final; None where it is not known to be."""
        return self.take.live_poses == self.take.final_poses == 1 if self.camera_is_fixed else None

    @property
    def outline(self) -> float | None:
        return float(np.mean(self.outline_overlaps)) if self.outline_overlaps else None


@dataclass(frozen=True)
class RealReport:
    """What one evaluation on real footage found."""

    title: str
    clips: Mapping[str, ClipResult]
    truth_name: str
    truth: Mapping[str, TruthScore]
    """By what was known of the focal length."""
    left_out: Mapping[str, str]
    """Why something was not measured, by its name."""
    about: Mapping[str, Any]
    """Versions and settings."""

    @property
    def total(self) -> RealScore:
        return sum((clip.score for clip in self.clips.values()), RealScore())

    def text(self) -> str:
        """Tables for a terminal."""
        parts = [[self.title]]
        if self.clips:
            parts.append([*aligned(self._rows()), "", textwrap.fill(_NOTES, _WIDTH)])
        moved = [row for name, clip in self.clips.items() for row in motions.rows(name, clip.motions)]
        if moved:
            parts.append([*aligned([list(motions.HEADS), *moved]), "", textwrap.fill(_MOTION_NOTES, _WIDTH)])
        if self.truth:
            parts.append(self._truth_lines())
        parts.append([f"Left out: {name}. {reason}" for name, reason in self.left_out.items()])
        parts.append(
            [
                f"Not in the take of {name}, and not counted: frames {', '.join(map(str, clip.unseen_frames))}"
                for name, clip in self.clips.items()
                if clip.unseen_frames
            ]
        )
        return "\n\n".join("\n".join(lines) for lines in parts if lines)

    def to_json(self) -> dict[str, Any]:
        """The same for programs: shares of the box's height, millimetres, metres; null where nothing was measured."""
        return {
            "title": self.title,
            "clips": {name: _clip_values(clip) for name, clip in self.clips.items()},
            "total": _values(self.total),
            "truth": {name: _truth_values(score) for name, score in self.truth.items()},
            "left_out": dict(self.left_out),
            **self.about,
        }

    def _rows(self) -> list[list[str]]:
        rows = [list(_HEADS)]
        for name, clip in self.clips.items():
            known = "" if clip.person_count is None else f" of {clip.person_count}"
            rows.append([name, str(clip.take.stretch), *_cells(clip.score), f"{clip.take.track_count}{known}"])
            rows[-1] += ["-" if clip.outline is None else f"{clip.outline:.2f}", _fall(clip.fall), _poses(clip)]
        return [*rows, ["ALL", "", *_cells(self.total), "", "", "", ""]]

    def _truth_lines(self) -> list[str]:
        rows = [list(_TRUTH_HEADS)]
        for name, score in self.truth.items():
            means = [(form, score.mean(key)) for key, form in _TRUTH_ERRORS.items()]
            cells = ["-" if mean is None else form.format(mean) for form, mean in means]
            rows.append([name, f"{len(score.found)}/{score.views}", *cells])
        joints = ", ".join(next(iter(self.truth.values())).names)
        head = f"3-D truth, {self.truth_name}"
        return [head, *aligned(rows), "", textwrap.fill(_TRUTH_NOTES.format(joints=joints), _WIDTH)]


def _cells(score: RealScore) -> list[str]:
    head = float(np.median(score.head_errors)) if score.head_errors else None
    return [
        f"{score.found}/{score.people}",
        _percent(score.median, 1),
        _percent(score.mean, 1),
        _percent(score.share_within(CLOSE)),
        _percent(score.share_within(NEAR)),
        _percent(head, 1),
        f"{score.swapped}/{score.sides_told}",
        f"{score.invented} in {score.empty_frames}",
    ]


def _fall(fall: Fall | None) -> str:
    if fall is None:
        return "-"
    said = "-" if fall.acceleration is None else f"{fall.acceleration:.2f}"
    return f"{said} ({fall.seen} of {fall.captured})"


def _poses(clip: ClipResult) -> str:
    said = {True: " (fixed: one pose)", False: " (fixed: NOT one pose)", None: ""}[clip.one_pose]
    return f"{clip.take.live_poses}/{clip.take.final_poses}{said}"


def _percent(share: float | None, digits: int = 0) -> str:
    return "-" if share is None else f"{100 * share:.{digits}f}"


def _values(score: RealScore) -> dict[str, Any]:
    return {
        "people": score.people,
        "found": score.found,
        "joints": score.joints,
        "median": score.median,
        "mean": score.mean,
        "within_5_percent": score.share_within(CLOSE),
        "within_10_percent": score.share_within(NEAR),
        "head_median": float(np.median(score.head_errors)) if score.head_errors else None,
        "hips_median": float(np.median(score.hip_errors)) if score.hip_errors else None,
        "sides_told": score.sides_told,
        "swapped": score.swapped,
        "empty_frames": score.empty_frames,
        "invented": score.invented,
        "unmatched": score.unmatched,
    }


def _clip_values(clip: ClipResult) -> dict[str, Any]:
    stretch = clip.take.stretch
    return {
        **_values(clip.score),
        "identities": clip.take.track_count,
        "true_identities": clip.person_count,
        "start": stretch.start,
        "end": stretch.end,
        "stride": stretch.stride,
        "captured_frames": len(clip.take.frames),
        "unseen_frames": list(clip.unseen_frames),
        "people_by_frame": [asdict(sighting) for sighting in clip.sightings],
        "outline": clip.outline,
        "fall": asdict(clip.fall) if clip.fall else None,
        "focal_length": asdict(clip.take.focal_length) if clip.take.focal_length else None,
        "poses_live": clip.take.live_poses,
        "poses_final": clip.take.final_poses,
        "camera_is_fixed": clip.camera_is_fixed,
        "one_pose": clip.one_pose,
        **(motions.to_json(clip.motions) if clip.motions else {}),
    }


def _truth_values(score: TruthScore) -> dict[str, Any]:
    means = {name: score.mean(name) for name in _TRUTH_ERRORS}
    return {"views": score.views, "found": len(score.found), **means, "joints_mm": score.joints_mm()}
