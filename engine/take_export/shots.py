# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export reads from a take: its cameras, its points, and the point maps of its frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract.errors import UserError
from ..contract.messages import Frame, PointMap, ScenePoints
from ..contract.take import SettledTakeReader, TakeReader

_FARTHEST_M = 1e6
"""What is farther away is no measurement; the same for pixels."""
_SKEWED = 1e-3
"""How far a camera's axes may be from right angles and unit length."""


@dataclass(frozen=True)
class Shot:
    """The camera of one frame of a take, as the final pass left it."""

    index: int
    source_frame: int
    focal_px: float
    principal_point_px: np.ndarray
    """(2,) footage pixels, with integers on the pixels' centers."""
    world_from_camera: np.ndarray
    """(4, 4) in the take's world."""
    tracks: frozenset[int]
    """Track ids of the people in it."""

    @property
    def is_sound(self) -> bool:
        """Whether its numbers can be a camera's."""
        numbers = np.concatenate([self.world_from_camera.ravel(), self.principal_point_px, [self.focal_px]])
        axes = self.world_from_camera[:3, :3]
        return bool(
            np.isfinite(numbers).all()
            and np.abs(numbers).max() < _FARTHEST_M
            and self.focal_px > 0
            and np.abs(axes @ axes.T - np.eye(3)).max() < _SKEWED
        )

    @classmethod
    def of(cls, frame: Frame) -> Shot:
        """Of a settled frame; copies, so that the record's masks are not held."""
        return cls(
            frame.index,
            frame.source_frame,
            frame.focal_px,
            np.array(frame.principal_point_px, np.float64),
            np.array(frame.world_from_camera, np.float64),
            frozenset(frame.track_id.tolist()),
        )


@dataclass(frozen=True)
class Cloud:
    """Scene points of a take, N of them."""

    position: np.ndarray
    """(N, 3) in the take's world, meters."""
    color: np.ndarray
    """(N, 3) uint8 sRGB."""
    confidence: np.ndarray
    """(N,)"""

    def __len__(self) -> int:
        return len(self.position)

    def sound(self) -> Cloud:
        """Without points that are nowhere."""
        here = np.isfinite(self.position).all(axis=1) & (np.abs(self.position) < _FARTHEST_M).all(axis=1)
        return self if here.all() else Cloud(self.position[here], self.color[here], self.confidence[here])


def read_shots(take: Path, every: int) -> tuple[list[Shot], int]:
    """The cameras of every so many frames, and how many were left out because their numbers are none of a camera.

    Raises UserError (``take-unreadable``, ``take-empty``).
    """
    with SettledTakeReader(take) as reader:
        frames = (message for message in reader if isinstance(message, Frame))
        shots = [Shot.of(frame) for number, frame in enumerate(frames) if number % every == 0]
    sound = [shot for shot in shots if shot.is_sound]
    if not sound:
        raise UserError("take-empty", "The take {path} has no usable frames.", "Capture the footage again.", path=take)
    return sound, len(shots) - len(sound)


def read_cloud(take: Path) -> Cloud:
    """All scene points; the final ones replace those that came while the footage ran."""
    parts: list[ScenePoints] = []
    with TakeReader(take) as reader:
        for message in reader:
            if isinstance(message, ScenePoints):
                parts = [message] if message.replaces_all else [*parts, message]
    if not parts:
        return Cloud(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), np.zeros(0, np.float32))
    return Cloud(
        np.concatenate([part.position for part in parts]),
        np.concatenate([part.color for part in parts]),
        np.concatenate([part.confidence for part in parts]),
    ).sound()


def point_maps(take: Path, shots: list[Shot]) -> Iterator[tuple[Shot, PointMap, np.ndarray]]:
    """The point maps of those shots that have one, with (H, W) whether each point is one.

    A map was made under the focal length that was known then. Where the final pass found another, its points move as
    the people do (`camera_pass.refit`): the same pixels mean another distance.
    """
    wanted = {shot.index: shot for shot in shots}
    focal_then: dict[int, float] = {}
    with TakeReader(take) as reader:
        for message in reader:
            if isinstance(message, Frame) and message.index in wanted:
                focal_then[message.index] = message.focal_px
            elif isinstance(message, PointMap) and message.frame_index in focal_then:
                shot = wanted[message.frame_index]
                yield shot, *_placed(message, shot.focal_px / focal_then[message.frame_index])


def _placed(found: PointMap, farther: float) -> tuple[PointMap, np.ndarray]:
    points = np.array(found.point_camera)
    points[..., 2] *= farther
    known = np.isfinite(points).all(axis=-1) & (points[..., 2] > 0)
    return (
        PointMap(found.frame_index, points, found.pixel_px, found.color, found.confidence),
        known,
    )
