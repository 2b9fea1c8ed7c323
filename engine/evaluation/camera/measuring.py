# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what a take says of the camera and its surroundings with the truth of a synthetic clip.

The live path is that of the take's frames as they came, the final one has the final frames in their place; without a
final pass both are the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...contract.final_frames import with_final
from ...contract.messages import (
    Backdrop,
    CameraMotion,
    CameraSummary,
    FinalFrame,
    FocalLength,
    Frame,
    ScenePoints,
)
from ...contract.settings import CaptureSettings
from ...contract.take import TakeReader
from ...ground_truth import ClipTruth
from ..alignment import fit_similarity
from ..camera_trajectory import absolute_trajectory_errors, root_mean_square
from ..depth import DepthSums, compare_depth
from ..local_body import rotation_error_deg
from .surroundings import points_seen, surroundings

DEPTH_EVERY = 10
"""Depths are compared in one frame of this many."""

_POINT_SIZE = math.sqrt(2.0)
"""In voxels: the diagonal of a face, so that points in neighboring voxels of one surface leave no hole between them."""

LEAST_PATH_M = 0.05
"""A camera whose true path is shorter stands: no similarity is fitted to it, so there is neither ATE nor scale."""


@dataclass
class CameraTake:
    """What a take says of the camera and the surroundings."""

    model: str
    settings: CaptureSettings
    live: dict[int, Frame] = field(default_factory=dict)
    """By their number in the footage."""
    final: dict[int, Frame] = field(default_factory=dict)
    motion_live: str | None = None
    """What was told last while the footage ran; None where the take says nothing."""
    summary: CameraSummary | None = None
    focal: FocalLength | None = None
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    """(P, 3) world frame: those that are left in the end."""
    has_backdrop: bool = False


@dataclass(frozen=True)
class PathErrors:
    """One path against the true one. None where nothing can be said."""

    ate_m: float | None
    """Root mean square after Sim(3)."""
    ate_share: float | None
    """The same as a share of the true path's length."""
    scale: float | None
    """The path's size over the true one's, by the same fit."""
    rotation_deg: float
    """Mean over the frames, after bringing the first frame onto the true one."""
    focal: float
    """Median focal length over the true one."""
    poses: int
    """How many poses differ, bit by bit."""
    farthest_m: float
    """Greatest distance from the first frame's place."""


@dataclass(frozen=True)
class CameraErrors:
    """Everything that is measured of one take."""

    live: PathErrors
    final: PathErrors
    depth: DepthSums
    """Of the scene points in meters as they are, over the pixels that they cover."""
    depth_scaled: DepthSums
    """The same after dividing by the final path's scale."""
    surroundings: int
    """Pixels of the surroundings that were looked at, covered or not."""

    @property
    def coverage(self) -> float | None:
        """Share of the surroundings' pixels that scene points cover."""
        return self.depth.pixels / self.surroundings if self.surroundings else None


def read_camera_take(path: Path) -> CameraTake:
    """What a take says of the camera. Raises UserError (`take-unreadable`)."""
    points: list[np.ndarray] = []
    finals: dict[int, FinalFrame] = {}
    with TakeReader(path) as reader:
        take = CameraTake(reader.header.model, reader.header.settings)
        for message in reader:
            match message:
                case Frame():
                    take.live[message.source_frame] = message
                case FinalFrame():
                    finals[message.index] = message
                case CameraMotion():
                    take.motion_live = message.motion
                case CameraSummary():
                    take.summary = message
                case FocalLength():
                    take.focal = message
                case Backdrop():
                    take.has_backdrop = True
                case ScenePoints():
                    points = [message.position] if message.replaces_all else [*points, message.position]
    take.final = {
        number: with_final(frame, finals[frame.index]) if frame.index in finals else frame
        for number, frame in take.live.items()
    }
    if points:
        take.points = np.concatenate(points).astype(np.float64)
    return take


def measure_take(take: CameraTake, truth: ClipTruth) -> CameraErrors:
    """Compare a take with the truth, over the frames that both have. Raises ValueError where those are none."""
    live, final = (path_errors(frames, truth) for frames in (take.live, take.final))
    seen, scaled, looked_at = DepthSums(), DepthSums(), 0
    for row in range(0, len(truth), DEPTH_EVERY):
        frame = take.final.get(int(truth.source_frame[row]))
        if frame is None:
            continue
        true = surroundings(truth, row)
        ours = points_seen(take.points, frame, true.shape, _POINT_SIZE * take.settings.voxel_size)
        covered = np.isfinite(ours)
        looked_at += int((true > 0).sum())
        seen += compare_depth(ours[covered], true[covered])
        scaled += compare_depth(ours[covered] / (final.scale or 1.0), true[covered])
    return CameraErrors(live, final, seen, scaled, looked_at)


def path_errors(frames: dict[int, Frame], truth: ClipTruth) -> PathErrors:
    """Compare a path with the true one. Raises ValueError where no frame is known to both."""
    rows = [row for row, number in enumerate(truth.source_frame) if int(number) in frames]
    if not rows:
        raise ValueError(f"{truth.name}: the take has none of the frames of the truth")
    ours = [frames[int(truth.source_frame[row])] for row in rows]
    poses, true = np.stack([frame.world_from_camera for frame in ours]), truth.world_from_camera[rows]
    turns = [np.swapaxes(path[:1, :3, :3], -1, -2) @ path[:, :3, :3] for path in (poses, true)]
    places = poses[:, :3, 3]
    length = path_length(true)
    ate = scale = None
    if length >= LEAST_PATH_M:
        ate = root_mean_square(absolute_trajectory_errors(poses, true))
        grown = float(fit_similarity(places, true[:, :3, 3]).scale)
        # Where the places coincide no scale can be told, and a scale of 0 fits what has nothing to do with the truth.
        scale = 1.0 / grown if np.ptp(places, axis=0).max() > 0 and grown > 0 else None
    return PathErrors(
        ate_m=ate,
        ate_share=None if ate is None else ate / length,
        scale=scale,
        rotation_deg=float(np.mean(rotation_error_deg(turns[0], turns[1]))),
        focal=float(np.median([frame.focal_px for frame in ours]) / np.median(truth.focal_px[rows])),
        poses=different_poses(ours),
        farthest_m=float(np.linalg.norm(places - places[0], axis=-1).max()),
    )


def different_poses(frames: Iterable[Frame]) -> int:
    """How many of the frames' poses differ, bit by bit."""
    return len({np.ascontiguousarray(frame.world_from_camera).tobytes() for frame in frames})


def path_length(poses: np.ndarray) -> float:
    """Metres that a camera of (N, 4, 4) poses goes."""
    return float(np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=-1).sum())
