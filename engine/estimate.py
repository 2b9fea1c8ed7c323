# SPDX-License-Identifier: GPL-3.0-or-later
"""What every model gives for a frame, and the interface behind which models differ.

A model that runs (`FrameEstimator`) belongs to one capture. The pipeline knows nothing of it but this.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .contract.body_model import BodyModel
from .contract.messages import FocalLength, Message
from .contract.settings import CaptureSettings
from .video.picture import PictureMap
from .video.reading import PreparedFrame

States = dict[str, dict[str, np.ndarray]]
"""Plain arrays of every stage, by the stage's name: what a resume file holds."""


@dataclass(frozen=True)
class Bodies:
    """SMPL-X parameters of n people, camera frame; fields as in :class:`~engine.contract.messages.Frame`."""

    pose_axis_angle: np.ndarray
    """(n, 55, 3) radians."""
    betas: np.ndarray
    """(n, 10)."""
    expression: np.ndarray
    """(n, 10)."""
    translation: np.ndarray
    """(n, 3) metres."""
    head_point: np.ndarray
    """(n, 3) metres."""


@dataclass(frozen=True)
class FrameEstimate:
    """What a model says about one frame: camera frame in OpenCV axes, metres, pixels of the footage.

    n people; H x W pixels of the picture map's `network_size`.
    """

    track_id: np.ndarray
    """(n,) int64, stable over the clip, never reused."""
    score: np.ndarray
    """(n,) 0..1."""
    bodies: Bodies
    head_px: np.ndarray
    """(n, 2) detected head."""
    people_mask: np.ndarray
    """(H, W) bool: pixels that show a person."""
    focal_px: float
    principal_point_px: np.ndarray
    """(2,)"""
    world_from_camera: np.ndarray
    """(4, 4) the model's own camera pose; the identity for a model without one."""
    focal: FocalLength | None = None
    """How well the focal length is known, where that has changed."""
    points_are_news: bool = True
    """False where the frame's points say what those of earlier frames said: they are left out of the scene points."""


@dataclass(frozen=True)
class PlacePoints:
    """What a model knows of the surroundings in one frame; H x W pixels as in :class:`FrameEstimate`, camera frame."""

    points: np.ndarray
    """(H, W, 3) point at each pixel, metres; 0 where nothing is known."""
    confidence: np.ndarray
    """(H, W) confidence of the points, 1 and upwards; 0 where they are made up."""
    log_sigma: np.ndarray | None = None
    """(H, W) standard deviation of the logarithm of their depth; None where the model is about as sure everywhere."""


@dataclass(frozen=True)
class PlaceView:
    """What one picture shows of the surroundings; H x W pixels, fields as in :class:`PlacePoints`."""

    points: np.ndarray
    """(H, W, 3) camera frame."""
    confidence: np.ndarray
    """(H, W)."""
    rgb: np.ndarray
    """(H, W, 3) uint8."""
    people_mask: np.ndarray
    """(H, W) bool."""
    world_from_camera: np.ndarray
    """(4, 4)."""


@dataclass(frozen=True)
class CameraPath:
    """The camera over a whole clip of N frames, as the last pass leaves it."""

    world_from_camera: np.ndarray
    """(N, 4, 4)."""
    motion: str = "moving"
    """One of :data:`.contract.messages.CAMERA_MOTIONS`."""
    focal: FocalLength | None = None
    """Where the camera's motion tells it better than the model knows it; None for the model's own."""
    up: np.ndarray | None = None
    """(3,) unit vector away from the earth, world frame; None where nothing tells."""
    floor_height: float | None = None
    """The floor is the plane ``up . p == -floor_height``; None where none is known."""


@dataclass(frozen=True)
class Conclusion:
    """What a pass over the whole clip found."""

    messages: list[Message]
    """They follow the frames; empty for a model without such a pass."""
    place: Iterable[PlaceView] | None = None
    """Views of which the scene points are made anew, in place of all that came before; None where those stay."""


class FrameEstimator(Protocol):
    """A model in one capture, with all that it carries from frame to frame."""

    has_last_pass: bool
    """Whether `conclude` looks at the whole clip again and fits the people to a camera's path."""

    def predict(self, prepared: PreparedFrame) -> Any:
        """The long part of a frame's work. It changes nothing, so it may be interrupted anywhere and thrown away."""

    def finish(self, predicted: Any) -> FrameEstimate:
        """The quick part: make what `predict` gave part of the state."""

    def place(self, world_from_camera: np.ndarray) -> PlacePoints:
        """The surroundings in the frame that was finished last, as seen from this (4, 4) pose. It changes nothing."""

    def locate(self, world_from_camera: np.ndarray) -> None:
        """Where the camera was (4, 4) in the frame that was finished last: told for each, before the next."""

    def focal(self) -> FocalLength | None:
        """The one focal length of all frames so far; None from a model that has one for each frame and no more."""

    def conclude(self, path: CameraPath) -> Generator[float, None, Conclusion]:
        """A pass over the whole clip in slices: yields the share that is done, and returns what it found.

        `path` has a pose for each finished frame. It changes nothing, so it may be interrupted anywhere.
        """

    def export_state(self) -> States:
        """The state after the last finished frame."""

    def restore_state(self, states: States) -> None:
        """Go on from `export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""


class Model(Protocol):
    """A model that is loaded and can serve one capture after the other."""

    name: str
    """For people, and for telling weights apart when a capture is resumed."""
    needs_footage_pixels: bool
    """Whether its frames are to come with the footage's own pixels too."""

    def picture_map(self, footage_size: tuple[int, int]) -> PictureMap:
        """How the pictures that it works on are cut from footage of this size."""

    def begin(self, settings: CaptureSettings, body_model: BodyModel, picture_map: PictureMap) -> FrameEstimator:
        """Start a capture, under settings as :func:`~.capture.resolved` gives them."""
